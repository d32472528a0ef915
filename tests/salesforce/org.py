"""A Salesforce org on loopback: the part of its REST surface that a sync uses, as the public API reference has it.

1. It is reached as the real one is, by https and its own name: the server is also the proxy that `HTTPS_PROXY` names,
   and answers `CONNECT` by speaking TLS itself, with a certificate that `REQUESTS_CA_BUNDLE` trusts.
2. Spoken are the token endpoint (client credentials, JWT bearer), describe, query and queryAll with `nextRecordsUrl`,
   Bulk 2.0 query jobs with `Sforce-Locator`, and `Sforce-Limit-Info` on every answer.
3. REST and Bulk print values as differently as the real ones do.
4. `trouble` is a list of what goes wrong next: (a part of the path, what). Each happens once, in order. Bytes are the
   body of an answer that is a success; of a page of results, `strip` takes its headers, `narrow` columns, and `loop`
   makes it the next one again.
5. A JWT has to be for the door of its org, whatever host it is brought to, as at the real one.
"""

import base64
import csv
import io
import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlsplit

import jwt
import re2
import trustme

HOST = "acme.my.salesforce.com"
ID, SECRET = "client-id", "client-secret"
START = datetime(2026, 6, 1, 12, tzinfo=UTC)
ENVIRONMENT = {
    "MUTINY_EDGE_SALESFORCE_DOMAIN": HOST,
    "MUTINY_EDGE_SALESFORCE_CLIENT_ID": ID,
    "MUTINY_EDGE_SALESFORCE_CLIENT_SECRET": SECRET,
}
COMMON = [
    ("Id", "id"), ("Email", "email"), ("Name", "string"), ("SystemModstamp", "datetime"), ("IsDeleted", "boolean"),
    ("Address", "address"), ("Score__c", "double"), ("Regions__c", "multipicklist"), ("Since__c", "date"),
    ("OwnerId", "reference"),
]  # fmt: skip
FIELDS = {
    "Lead": [*COMMON, ("NumberOfEmployees", "int"), ("AnnualRevenue", "currency"), ("Status", "picklist"),
             ("IsConverted", "boolean"), ("ConvertedContactId", "reference")],
    "Contact": [*COMMON, ("Open_Opportunities__c", "double"), ("Industry", "string")],
}  # fmt: skip
PREFIX = {"Lead": "00Q", "Contact": "003"}
PAGE = 2_000
PATIENCE_S = 60  # no test measures time; this only ends what hangs
SOQL = re2.compile(
    r"SELECT ([\w, ]+) FROM (\w+)(?: WHERE SystemModstamp >= (\S+))?( ORDER BY SystemModstamp ASC, Id ASC)?"
)


def id_of(object_: str, number: int) -> str:
    """An id of 18 characters."""
    return f"{PREFIX[object_]}5g0000{number:06d}{'EAA' if object_ == 'Lead' else 'AAA'}"


class Org:
    """The data, what goes wrong next, and what was asked."""

    def __init__(self) -> None:
        self.now = START
        self.fields = {name: [self.field(*one) for one in fields] for name, fields in FIELDS.items()}
        self.records: dict[str, dict[str, dict[str, Any]]] = {"Lead": {}, "Contact": {}}
        self.trouble: list[tuple[str, Any]] = []
        self.asked: list[str] = []
        self.used, self.total = 10, 15_000
        self.tokens: list[str] = []
        self.jobs: dict[str, dict[str, Any]] = {}
        self.cursors: dict[str, list[dict[str, Any]]] = {}
        self.looks = 1  # at a job before it is complete
        self.more = 0  # records that a job says beyond those that it has
        self.door = "https://login.salesforce.com"
        self.lock = threading.Lock()
        self.hung, self.go_on = threading.Event(), threading.Event()

    @staticmethod
    def field(name: str, type_: str, **more: Any) -> dict[str, Any]:
        """A field as describe has it."""
        scale = {"double": 0 if name == "Open_Opportunities__c" else 2, "currency": 2}.get(type_, 0)
        picks = {"Status": ["Open", "Working", "Closed"], "Regions__c": ["EMEA", "APAC", "AMER"]}.get(name, [])
        values = [{"value": value, "label": value, "active": True} for value in picks]
        made = {"name": name, "type": type_, "label": name.removesuffix("__c"), "scale": scale, "calculated": False}
        return made | {"picklistValues": values} | more

    def put(self, object_: str, number: int, **values: Any) -> str:
        """Save a record: a new one, or values of one that there is; its SystemModstamp moves."""
        id_ = id_of(object_, number)
        held = self.records[object_].setdefault(id_, {"Id": id_, "IsDeleted": False})
        if object_ == "Lead":
            held.setdefault("IsConverted", False)
        held |= {"SystemModstamp": self.now, **values}
        return id_

    def delete(self, object_: str, number: int) -> None:
        """Into the recycle bin."""
        self.put(object_, number, IsDeleted=True)

    def purge(self, object_: str, number: int) -> None:
        """Deleted for good: it is in no answer any more."""
        del self.records[object_][id_of(object_, number)]

    def select(self, question: str, *, deleted: bool) -> tuple[str, list[dict[str, Any]]]:
        """The object and the records, with the fields that were asked for. Raises KeyError, ValueError."""
        found = SOQL.fullmatch(question)
        if found is None:
            raise ValueError("MALFORMED_QUERY", f"unexpected token: {question[:20]}")
        names, object_, since, ordered = found[1].split(", "), found[2], found[3], found[4]
        known = {field["name"] for field in self.fields[object_]}
        for name in names:
            if name not in known:
                raise ValueError("INVALID_FIELD", f"No such column '{name}' on entity '{object_}'")
        after = datetime.fromisoformat(since) if since else datetime.min.replace(tzinfo=UTC)
        rows = [
            {name: record.get(name) for name in names}
            for record in self.records[object_].values()
            if (deleted or not record["IsDeleted"]) and record["SystemModstamp"] >= after
        ]
        return object_, sorted(rows, key=lambda row: (row["SystemModstamp"], row["Id"])) if ordered else rows

    def kinds(self, object_: str) -> dict[str, str]:
        """The types of the fields."""
        return {field["name"]: field["type"] for field in self.fields[object_]}


def as_json(kind: str, value: Any) -> Any:
    """As REST prints it."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03d}+0000"
    if isinstance(value, date):
        return value.isoformat()
    return float(value) if kind in {"double", "currency"} and value is not None else value


def as_csv(value: Any) -> str:
    """As Bulk prints it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03d}Z"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    org: Org
    tls: ssl.SSLContext
    timeout = 30
    cut = False
    altered: object = None

    def finish(self) -> None:
        """The server only knows the connection that was there before TLS."""
        super().finish()
        self.connection.close()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as its base has it
        """Quiet."""

    def do_CONNECT(self) -> None:
        """As a proxy would; but the org is here."""
        self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        self.connection = self.request = self.tls.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", buffering=0)
        self.close_connection = False

    def do_GET(self) -> None:
        """Everything that is asked."""
        self.handle_one({})

    def do_POST(self) -> None:
        """Tokens and jobs."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parsed = json.loads(body) if "json" in self.headers.get("Content-Type", "") else parse_qs(body.decode())
        self.handle_one(parsed)

    def handle_one(self, body: Mapping[str, Any]) -> None:
        """One request, with what goes wrong in it."""
        with self.org.lock:
            self.org.asked.append(f"{self.command} {unquote_plus(self.path)}")
            self.org.used += 1
            wrong = None
            if self.org.trouble and self.org.trouble[0][0] in self.path:
                wrong = self.org.trouble.pop(0)[1]
        if isinstance(wrong, tuple):
            self.error(*wrong)
        elif isinstance(wrong, bytes):
            self.send(200, wrong, {"Content-Type": "text/html"})
        elif wrong in {"drop", "hang"}:
            if wrong == "hang":
                self.org.hung.set()
                self.org.go_on.wait(PATIENCE_S)
            self.close_connection = True
        else:
            if wrong == "expire":
                self.org.tokens.clear()
            self.cut, self.altered = wrong == "cut", wrong
            self.answer(body)

    def answer(self, body: Mapping[str, Any]) -> None:
        """As the real one would."""
        url = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path == "/services/oauth2/token":
            self.token(body)
            return
        if self.headers.get("Authorization", "").removeprefix("Bearer ") not in self.org.tokens:
            self.error(401, "INVALID_SESSION_ID", "Session expired or invalid")
            return
        parts = url.path.removeprefix("/services/data/v59.0/").strip("/").split("/")
        try:
            match parts:
                case ["sobjects", object_, "describe"]:
                    self.say({"name": object_, "fields": self.org.fields[object_]})
                case ["query" | "queryAll" as how]:
                    object_, rows = self.org.select(asked["q"], deleted=how == "queryAll")
                    self.page(object_, rows, 0)
                case ["query" | "queryAll", cursor]:
                    object_, number, at = cursor.split("-")
                    self.page(object_, self.org.cursors[number], int(at))
                case ["jobs", "query"]:
                    self.begin(body)
                case ["jobs", "query", id_]:
                    self.say(self.look(self.org.jobs[id_]))
                case ["jobs", "query", id_, "results"]:
                    self.results(self.org.jobs[id_], asked)
                case _:
                    self.error(404, "NOT_FOUND", "The requested resource does not exist")
        except KeyError:
            self.error(404, "NOT_FOUND", "The requested resource does not exist")
        except ValueError as bad:
            self.error(400, *bad.args)

    def token(self, body: Mapping[str, list[str]]) -> None:
        """Client credentials and JWT bearer."""
        grant = body.get("grant_type", [""])[0]
        basic = base64.b64encode(f"{ID}:{SECRET}".encode()).decode()
        if grant == "client_credentials" and self.headers.get("Authorization") != f"Basic {basic}":
            self.say({"error": "invalid_client", "error_description": "invalid client credentials"}, status=400)
            return
        if grant not in {"client_credentials", "urn:ietf:params:oauth:grant-type:jwt-bearer"}:
            self.say({"error": "unsupported_grant_type", "error_description": "not supported"}, status=400)
            return
        if grant != "client_credentials":
            told = jwt.decode(body["assertion"][0], options={"verify_signature": False, "verify_aud": False})
            if told["aud"] != self.org.door:
                self.say({"error": "invalid_grant", "error_description": "audience is invalid"}, status=400)
                return
        self.org.tokens.append(f"token-{len(self.org.asked)}")
        self.say({"access_token": self.org.tokens[-1], "instance_url": f"https://{HOST}", "token_type": "Bearer"})

    def page(self, object_: str, rows: list[dict[str, Any]], at: int) -> None:
        """A page of a query."""
        kinds = self.org.kinds(object_)
        number = f"01g{len(self.org.cursors)}"
        said: dict[str, Any] = {"totalSize": len(rows), "done": at + PAGE >= len(rows)}
        if not said["done"]:
            self.org.cursors[number] = rows
            said["nextRecordsUrl"] = f"/services/data/v59.0/query/{object_}-{number}-{at + PAGE}"
        said["records"] = [
            {"attributes": {"type": object_}, **{name: as_json(kinds[name], value) for name, value in row.items()}}
            for row in rows[at : at + PAGE]
        ]
        self.say(said)

    def begin(self, body: Mapping[str, Any]) -> None:
        """A job: its results are as things are now."""
        _, rows = self.org.select(body["query"], deleted=body["operation"] == "queryAll")
        id_ = f"750{len(self.org.jobs):015d}"
        names = body["query"].removeprefix("SELECT ").partition(" FROM")[0].split(", ")
        self.org.jobs[id_] = {"id": id_, "rows": rows, "names": names, "looks": self.org.looks, "created": self.org.now}
        self.say(self.look(self.org.jobs[id_], looked=False))

    def look(self, job: dict[str, Any], *, looked: bool = True) -> dict[str, Any]:
        """How far it is; it takes some looks."""
        job["looks"] -= looked
        state = "UploadComplete" if not looked else "InProgress" if job["looks"] >= 0 else "JobComplete"
        done = len(job["rows"]) + self.org.more if state == "JobComplete" else 0
        created = as_json("datetime", job["created"])
        if "failed" in job:
            return {"id": job["id"], "state": "Failed", "createdDate": created, "errorMessage": job["failed"]}
        return {"id": job["id"], "state": state, "createdDate": created, "numberRecordsProcessed": done}

    def results(self, job: dict[str, Any], asked: Mapping[str, str]) -> None:
        """A page of results; every one repeats the header row."""
        at, most = int(asked.get("locator", 0)), int(asked["maxRecords"])
        rows = job["rows"][at : at + most]
        text = io.StringIO()
        writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
        names = [name for name in job["names"] if self.altered != "narrow" or name in {"Id", "Email"}]
        writer.writerow(names)
        writer.writerows([as_csv(row[name]) for name in names] for row in rows)
        more = str(at + most) if at + most < len(job["rows"]) else "null"
        if self.altered == "loop":
            more = asked.get("locator", "0")
        headers = {"Sforce-Locator": more, "Sforce-NumberOfRecords": str(len(rows))}
        self.send(200, text.getvalue().encode(), {} if self.altered == "strip" else headers)

    def error(self, status: int, code: str, message: str = "", headers: Mapping[str, str] | None = None) -> None:
        """As REST prints errors."""
        self.send(status, json.dumps([{"errorCode": code, "message": message}]).encode(), headers or {})

    def say(self, value: Any, *, status: int = 200) -> None:
        """JSON."""
        self.send(status, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        """An answer; with `cut` the connection ends at its half."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Sforce-Limit-Info", f"api-usage={self.org.used}/{self.org.total}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if self.cut else body)
        self.close_connection |= self.cut


class Server(ThreadingHTTPServer):
    """Quiet about clients that are gone."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed."""

    def shutdown_request(self, request: Any) -> None:
        """Closed without a word: with TLS above it there is nothing to shut down any more."""
        self.close_request(request)


@contextmanager
def served(org: Org, folder: Path) -> Iterator[dict[str, str]]:
    """The org at work; the environment in which it is found and trusted."""
    authority = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("*.salesforce.com", "*.my.salesforce.com", "*.sandbox.my.salesforce.com").configure_cert(tls)
    bundle = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    server = Server(("127.0.0.1", 0), type("OrgHandler", (Handler,), {"org": org, "tls": tls}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    proxy = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield {
            "HTTPS_PROXY": proxy,
            "https_proxy": proxy,
            "NO_PROXY": "",
            "no_proxy": "",
            "REQUESTS_CA_BUNDLE": str(bundle),
        }
    finally:
        server.shutdown()
        server.server_close()


def later(**how: float) -> datetime:
    """Some time after the start."""
    return START + timedelta(**how)
