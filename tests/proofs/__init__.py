"""Proofs: what the service answers, compared with a second reading of the RFCs that shares no code with it.

    town (random resources, through the SCIM door) ─┬─▶ the service: routes, filters as SQL, PATCH, sort
                                                    └─▶ definition, patching: the RFC's text, on the raw JSON

`make test` runs a few thousand fixed cases; `make prove` many more, with a seed that it prints.
"""

from __future__ import annotations

import os
from typing import Final

SEED: Final = int(os.environ.get("PROOF_SEED", "1"))
TIMES: Final = int(os.environ.get("PROOF_TIMES", "1"))
