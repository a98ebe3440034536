"""Work on many people: imports, changed mappings, and what a crash or a late fact left to do.

    import ──▶ plan (pure, on a snapshot) ──▶ guard ──▶ held, until a person allows it
                                               └──────▶ run ──▶ chunks of 500 through the write door
    mapping ──▶ preview (pure) ──▶ save ─────────────▶ run ──▶ 〃
    sweep, every few seconds ────────────────────────▶ runs that stalled, managers who became known, plans too old

A run moves its position after each committed chunk: whoever goes on, goes on there.
"""
