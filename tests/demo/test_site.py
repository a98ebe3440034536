"""The demo's site: its pages are under a policy, like Rollcall's own."""

from __future__ import annotations

from app.demo.site import Site, create_site


def test_a_page_is_under_a_policy_and_kept_by_no_cache() -> None:
    site = Site(8081, "http://127.0.0.1:8080", "client", "http://127.0.0.1:8080/oidc/0190/callback", "token")
    page = create_site(site).test_client().get("/")
    assert page.status_code == 200
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self' http://127.0.0.1:8080;" in policy
    assert "unsafe" not in policy
    assert page.headers["Cache-Control"] == "no-store"
