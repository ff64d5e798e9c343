"""Whether a probe may connect to an address, by the rules of the configuration."""

from __future__ import annotations

from pprof_exporter.config import AllowRule
from pprof_exporter.scrape.client.reserved_addresses import RESERVED_NETWORKS, Address, forms_of


def why_forbidden(address: Address, rules: tuple[AllowRule, ...]) -> str | None:
    """Why a probe may not connect to an address, as a sentence without a full stop; None if it may.

    Every rule must allow the address. A forbidden address needs a network in the rules that is not larger than the
    forbidden one: 0.0.0.0/0 does not allow 169.254.169.254.
    """
    forms = tuple(forms_of(address))
    named = [network for rule in rules for network in rule.networks]
    for form in forms:
        for forbidden, what in RESERVED_NETWORKS:
            if form in forbidden and not any(form in one and one.prefixlen >= forbidden.prefixlen for one in named):
                return f"{address} is {what}"
    if any(rule.networks and not any(form in one for form in forms for one in rule.networks) for rule in rules):
        return f"{address} is not in the allowed networks"
    return None
