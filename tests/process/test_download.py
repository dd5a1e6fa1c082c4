"""Files from the web, from a real server: which are fetched, which are refused, and where they go.

The server is on loopback, which the product refuses: a test says which addresses it allows, and the refusals are
tested with the product's own rule.
"""

import hashlib
import os
import ssl
import sys
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from shopfloor.domain import limits
from shopfloor.domain.errors import Forbidden, Invalid, LimitReached, Refused, Unavailable
from shopfloor.process.download import download
from shopfloor.process.fetch import fetched
from tests.support.web_place import Page, web_place

MOVED = 302
ALLOWING = "from shopfloor.process.download_program import main; main(lambda address: address == '127.0.0.1')"


@pytest.fixture
def web():
    with web_place() as place:
        yield place


@pytest.fixture
def into(tmp_path):
    return tmp_path / "file"


def only_this(address):
    return address == "127.0.0.1"


def leads_to(url):
    return Page(status=MOVED, headers=(("Location", url),))


def fetch(url, into, **given):
    return download(url, into, **{"allowed": only_this, "timeout_s": 90.0, **given})


def test_what_is_at_an_address_becomes_a_file_with_its_name_and_hash(web, into):
    data = os.urandom(300_000)
    web.pages["/a/plan%20b.pdf?x=1"] = Page(data, headers=(("Content-Length", "300000"),))
    found = fetch(web.url("/a/plan%20b.pdf?x=1"), into)
    assert found == ("plan b.pdf", 300_000, hashlib.sha256(data).hexdigest())
    assert into.read_bytes() == data


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ('attachment; filename="report.txt"', "report.txt"),
        ("attachment; filename*=UTF-8''f%C3%BCr%20dich.txt", "für dich.txt"),
        ("inline", "page"),
    ],
)
def test_the_name_that_the_server_says_goes_before_the_address(web, into, said, name):
    web.pages["/page"] = Page(b"x", headers=(("Content-Disposition", said),))
    assert fetch(web.url("/page"), into).name == name


def test_an_address_in_any_letters_is_asked_for_in_ascii(web, into):
    web.pages["/%C3%BCber%20uns"] = Page(b"x")
    assert fetch(web.url("/über uns"), into).name == "über uns"


def test_a_file_that_is_announced_too_large_is_not_begun(web, into):
    web.pages["/"] = Page(b"", headers=(("Content-Length", "11"),))
    with pytest.raises(LimitReached, match="at most"):
        fetch(web.url(), into, most=10)
    assert not into.exists()


def test_a_file_that_does_not_say_how_large_it_is_ends_at_the_limit(web, into):
    web.pages["/"] = Page(None)
    with pytest.raises(LimitReached, match="at most"):
        fetch(web.url(), into, most=10)


def test_a_redirect_is_followed_and_gives_the_name(web, into):
    web.pages["/old"] = leads_to("/new.txt")
    web.pages["/new.txt"] = Page(b"x")
    assert fetch(web.url("/old"), into).name == "new.txt"


def test_an_address_that_a_redirect_leads_to_is_looked_at_too(web, into):
    web.pages["/"] = leads_to(f"http://127.0.0.2:{web.port}/secret")
    with pytest.raises(Forbidden, match="not in the public network"):
        fetch(web.url(), into)
    assert web.asked == ["/"]


def test_a_name_that_means_another_machine_the_next_time_gains_nothing(web, into):
    answers = iter([True, False])
    web.pages["/"] = leads_to("/secret")
    with pytest.raises(Forbidden, match="not in the public network"):
        fetch(web.url(), into, allowed=lambda _: next(answers))
    assert web.asked == ["/"]


def test_a_redirect_to_something_else_than_the_web_is_refused(web, into):
    web.pages["/"] = leads_to("file:///etc/passwd")
    with pytest.raises(Invalid, match="no address of the web"):
        fetch(web.url(), into)


def test_redirects_come_to_an_end(web, into):
    web.pages["/"] = leads_to("/")
    with pytest.raises(Refused, match="more than 5 times"):
        fetch(web.url(), into)
    assert len(web.asked) == 1 + limits.REDIRECTS_MAX


@pytest.mark.parametrize(
    ("page", "error", "words"),
    [
        (Page(b"no", 404), Refused, "answered 404"),
        (Page(b"", 204), Refused, "answered 204"),
        (Page(b"", 302), Refused, "without a place"),
        (Page(b"x", headers=(("Content-Encoding", "gzip"),)), Refused, "packed"),
        (Page(b"x", headers=(("Content-Length", "5"),)), Unavailable, "broke off after 1 of 5"),
        (Page(b"zz\r\n", headers=(("Transfer-Encoding", "chunked"),)), Unavailable, "broke off"),
    ],
)
def test_an_answer_that_is_no_whole_file_is_none(web, into, page, error, words):
    web.pages["/"] = page
    with pytest.raises(error, match=words):
        fetch(web.url(), into)


def test_a_server_that_sends_a_byte_now_and_then_is_left_when_the_time_is_over(web, into):
    web.pages["/"] = Page(None)
    # Where the machine is slow, the time is over before there is a connection.
    with pytest.raises(Unavailable, match=r"did not send it within|came about in time"):
        fetch(web.url(), into, timeout_s=1.0)


def test_a_machine_where_nobody_listens_is_said_in_words(web, into):
    with pytest.raises(Unavailable, match="could not be reached"):
        fetch("http://127.0.0.1:1/", into)


@pytest.mark.parametrize(
    "url",
    [
        "", "plan.txt", "ftp://example.org/a", "file:///etc/passwd", "http://", "http:///a", "//example.org/a",
        "http://example.org:0/", "http://example.org:99999/", "http://[::1", "http://me:secret@example.org/",
    ],
)  # fmt: skip
def test_what_is_no_address_of_the_web_is_refused_before_anything_is_asked(url, into):
    with pytest.raises(Invalid):
        download(url, into)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "0x7f.1", "2130706433", "127.1", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]"],
)  # fmt: skip
def test_this_machine_is_refused_however_it_is_written(web, into, host):
    with pytest.raises(Forbidden, match="not in the public network"):
        download(f"http://{host}:{web.port}/", into)
    assert web.asked == []


def test_a_process_of_its_own_fetches(web, into):
    web.pages["/a.txt"] = Page(b"from afar")
    found = fetched(web.url("/a.txt"), into, os.environ, program=(sys.executable, "-c", ALLOWING))
    assert (found.name, found.size, into.read_bytes()) == ("a.txt", 9, b"from afar")


def test_a_server_is_believed_only_with_a_certificate_for_its_name(web, into, tmp_path):
    """`certified` makes its own authority, which the first try knows and the second does not."""
    web.pages["/a.txt"] = Page(b"in secret")
    authority = certified(web, tmp_path, "localhost")
    program = (sys.executable, "-c", ALLOWING)
    known = {**os.environ, "SSL_CERT_FILE": str(authority)}
    url = f"https://localhost:{web.port}/a.txt"
    assert fetched(url, into, known, program=program).size == 9
    for wrong, base in ((url, os.environ), (url.replace("localhost", "127.0.0.1"), known)):
        with pytest.raises(
            Unavailable, match="could not be reached: its certificate is not trusted: "
        ):
            fetched(wrong, into, base, program=program)
    web.pages["/old"] = leads_to(f"http://localhost:{web.port}/a.txt")
    with pytest.raises(Refused, match="from https to http"):
        fetched(f"https://localhost:{web.port}/old", into, known, program=program)


def certified(web, folder, name):
    """Let the server speak TLS under this name; answers the certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    names = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(names)
        .issuer_name(names)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(Encoding.PEM))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, private)
    web.socket = context.wrap_socket(web.socket, server_side=True)
    return certificate


def test_the_process_allows_the_public_network_alone(web, into):
    with pytest.raises(Forbidden, match="not in the public network"):
        fetched(web.url("/a.txt"), into, os.environ)
    assert web.asked == []
