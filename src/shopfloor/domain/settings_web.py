"""What can be set for the dashboard and the API: the table `[web]`, with its words.

Where it changes while `shop up` runs, the dashboard is opened anew.  The same rules hold as for `settings.py`, which names the table.
"""

from typing import Annotated, NamedTuple

from shopfloor.domain import limits
from shopfloor.domain.words import Words


class Web(NamedTuple):
    """Where the dashboard and the API are served, and to whom."""

    host: Annotated[
        str, Words("The address to listen on; `0.0.0.0` or `::` lets other machines come.")
    ] = "127.0.0.1"
    port: Annotated[
        int, Words("The port; another free one is taken and said if it is in use. 0 is any.")
    ] = 7437
    public_url: Annotated[
        str | None,
        Words("The address by which people reach it, for links in messages.", "host and port"),
    ] = None
    hosts: Annotated[
        tuple[str, ...],
        Words(
            "Names by which it may be asked for, beside localhost, addresses in figures, and the name in "
            "`public_url`."
        ),
    ] = ()
    certificate: Annotated[
        str | None, Words("A file with the certificate chain in PEM, for HTTPS.", "plain HTTP")
    ] = None
    certificate_key: Annotated[
        str | None, Words("The file with its private key.", "in the certificate's file")
    ] = None
    trusted_proxies: Annotated[
        tuple[str, ...],
        Words("Addresses of proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed."),
    ] = ()
    session_days: Annotated[
        int, Words("How long a browser stays logged in without being used.")
    ] = 30
    patience_ms: Annotated[
        int,
        Words(
            "How long a visitor is waited for who does not take what is sent; half as long for the next piece of what "
            "he sends, and a third for the head of his request."
        ),
    ] = limits.WEB_PATIENCE_MS
