"""What these checks take for granted of Amanat: addresses, settings, commands and codes. Whatever is named otherwise is named here."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

# Addresses.
LOGIN, RETURN, SESSION = "/login/oidc", "/login/oidc/return", "/v1/session"
# The cookie of a session over http, and the header by which a request shows that its session meant it.
COOKIE, CSRF = "amanat", "amanat-csrf"
CLIENT, PUBLIC_CLIENT = "amanat", "amanat-public"
BUTTON = "Ministry login"
# Files of the data directory: who came in, and who may.
AUDIT, READERS = "audit.db", "readers.toml"
# Seconds for which the cookie of a flow holds.
FLOW_HOLDS = 600

# Seconds: of one answer, whatever the provider does; until a changed file of readers is followed; until new keys of the provider
# are known, or old ones forgotten.
TAKES, FOLLOWS, ROTATES = 30, 5, 70
# MiB more than before, after a huge answer or ten thousand flows that nobody ends. A huge answer is broken off before so much of it.
MORE_MEMORY, READS = 64, 16
# Fetches of the provider's keys that forty ID tokens with unknown keys may cause.
FETCHES = 10


class Refusal(NamedTuple):
    """How something is refused: one of these statuses with one of these codes."""

    statuses: set[int]
    codes: set[str]

    def __or__(self, other: Refusal) -> Refusal:
        return Refusal(self.statuses | other.statuses, self.codes | other.codes)


# The return does not belong to a flow that this browser has begun.
STATE = Refusal({400, 403}, {"sign_in_over"})
# … or has not even the form of one.
FORM = STATE | Refusal({400, 414, 431}, {"sign_in_refused", "malformed_parameter"})
# The provider has said no.
DENIED = Refusal({400, 401, 403}, {"sign_in_refused"})
# The provider cannot be asked, or describes itself in a way that cannot be followed.
AWAY = Refusal({502, 503, 504}, {"provider_away"})
# What the provider says is not to be believed, or is no answer.
UNTRUSTED = DENIED | AWAY | Refusal({502}, {"sign_in_refused"})
# The provider knows them, the file of readers does not.
STRANGER = Refusal({403}, {"not_a_reader"})
# Whether nobody is named, or somebody whom nobody knows, is not told apart here.
NOBODY = STRANGER | UNTRUSTED


def invite(name: str, value: str) -> list[str]:
    """The command that binds a value of the claim to an account. It reads which provider and claim are meant in the configuration."""
    return ["user", "invite", "--name", name, "--role", "analyst", "--share", "partners", "--oidc", value]


def remove(name: str) -> list[str]:
    return ["user", "remove", name]


def settings(public_url: str, **oidc: Any) -> str:
    """A configuration file. A setting that is None is left out."""
    lines = [f"{name} = {json.dumps(value)}" for name, value in oidc.items() if value is not None]
    return "\n".join(["[endpoint]", f"public_url = {json.dumps(public_url)}", "[endpoint.oidc]", *lines, ""])


def environment(public_url: str, **oidc: Any) -> dict[str, str]:
    """The same by the environment."""
    return {"AMANAT_ENDPOINT__PUBLIC_URL": public_url} | {f"AMANAT_ENDPOINT__OIDC__{name.upper()}": str(value) for name, value in oidc.items()}
