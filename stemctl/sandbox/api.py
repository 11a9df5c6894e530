"""The sandbox as an ASGI application: finds the handler of a request, and encodes its reply."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qs

from msgspec.structs import replace

from stemctl.sandbox import device, invitations, log_entries, membership, proposals, resources
from stemctl.sandbox.access import Viewer
from stemctl.sandbox.asgi import (
    ASGIApp,
    HttpRequest,
    Receive,
    Scope,
    Send,
    http_request,
    read_content,
    respond,
)
from stemctl.sandbox.calls import Call, Endpoint, Handler, read_object
from stemctl.sandbox.database import Database
from stemctl.sandbox.envelopes import proposals_of
from stemctl.sandbox.replies import Refusal, Reply, forbidden, not_allowed, unknown_url
from stemctl.sandbox.users import User
from stemctl.schema.catalog import Catalog
from stemctl.schema.models import Model

if TYPE_CHECKING:
    from stemctl.sandbox.likeness import Likeness  # what it takes is seldom needed

Totals = Literal["both", "meta", "count", "none"]


def create_app(
    database: Database, *, totals: Totals = "both", likeness: Likeness | None = None
) -> ASGIApp:
    """The API over one database. `totals` is how lists say their length, since servers differ;
    `likeness` makes it answer as another server does.
    """
    sandbox = _Sandbox(database, totals, likeness)

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        # The body is read before the transaction begins. Within it nothing waits, so that requests
        # cannot interleave.
        content = await read_content(receive)
        if content is None:  # the request is incomplete, and its client is gone
            return
        answer = sandbox.answer(http_request(scope, content))
        await respond(send, answer.status, answer.body, answer.headers)

    return serve


class _Sandbox:
    """The URLs of one catalog."""

    def __init__(self, database: Database, totals: Totals, likeness: Likeness | None) -> None:
        self._database = database
        self._totals = totals
        self._likeness = likeness
        self._endpoints = _endpoints(database.catalog)
        database.add_accounts()

    def answer(self, request: HttpRequest) -> Reply:
        try:
            match request.path.removesuffix("/").split("/")[1:]:
                case ["api", "auth", "device", *rest] if rest in ([], ["token"]):
                    return self._login(request, polling=bool(rest))
                case ["account", "authorize"]:
                    return self._authorize(request)
                case ["api", portal, app, name, *rest] if (app, name) in self._endpoints:
                    reply = self._records(request, portal, self._endpoints[app, name], rest)
                    return self._likeness.reply(app, name, reply) if self._likeness else reply
            raise unknown_url()
        except Refusal as refusal:
            return refusal.answer

    def _records(
        self, request: HttpRequest, portal: str, endpoint: Endpoint, rest: list[str]
    ) -> Reply:
        shape, id_ = _shape(rest)
        methods = endpoint.handlers.get(shape)
        if portal not in (*endpoint.read_portals, *endpoint.write_portals) or methods is None:
            raise unknown_url()
        reads_records = shape in ("many", "one")
        is_head = request.method == "HEAD" and reads_records
        method = "GET" if is_head else request.method
        writes = method != "GET" or not reads_records
        with self._database.transaction(write=writes):
            user = self._user(request, portal)
            groups = membership.groups_of(self._database, user)
            viewer = Viewer(self._database.catalog, user, groups)
            handler = _handler(methods, method)
            if writes and (portal not in endpoint.write_portals or not viewer.writes):
                raise forbidden()
            parameters = request.parameters
            if self._likeness is not None:
                path = request.path.split("/")
                parameters = self._likeness.asked(path[3], path[4], parameters, shape == "many")
            call = Call(
                self._database, viewer, request.url, parameters, request.content, self._totals
            )
            return handler(call, id_)

    def _user(self, request: HttpRequest, portal: str) -> User | None:
        """The user of a request; None on the public portal.

        Raises:
            Refusal: 401 without a valid token, 403 on a portal that this user may not use.
        """
        if portal == "public":
            return None
        user = device.user_of(self._database, request.authorization)
        if portal == "super" and not user.administrator:
            raise forbidden()
        return user

    def _login(self, request: HttpRequest, *, polling: bool) -> Reply:
        if request.method != "POST":
            raise not_allowed(request.method, "POST")
        with self._database.transaction():
            if not polling:
                return Reply(200, device.start(self._database, f"{request.host}/"))
            code = read_object(request.content).get("device_code")
            return Reply(200, device.poll(self._database, code))

    def _authorize(self, request: HttpRequest) -> Reply:
        if request.method in {"GET", "HEAD"}:
            return Reply(200, device.page(request.parameter("code")))
        if request.method != "POST":
            raise not_allowed(request.method, "GET, POST")
        form = parse_qs(request.content.decode(errors="replace"))
        code = form.get("code", [request.parameter("code")])[0]
        approve = form.get("decision", ["approve"])[0] == "approve"
        with self._database.transaction():
            found = device.decide(self._database, code, approve=approve)
        if not found:
            return Reply(400, device.page(code, "No pending login has this code."))
        message = "Approved. Return to the program." if approve else "Denied."
        return Reply(200, device.page("", message))


def _endpoints(catalog: Catalog) -> Mapping[tuple[str, str], Endpoint]:
    found = {}
    for model in catalog.models.values():
        if model.embedded:
            continue
        approval_model = proposals_of(model)
        if approval_model is None or model.approval is None:
            found[model.app, model.name] = _endpoint(catalog, model)
            continue
        found[model.app, model.name] = proposals.live_endpoint(model, approval_model)
        for segment in (model.approval.path, *model.approval.aliases):
            found[model.app, segment] = proposals.endpoint(model, approval_model)
    return found


def _endpoint(catalog: Catalog, model: Model) -> Endpoint:
    if model.joining:
        return invitations.endpoint(model)
    plain = resources.endpoint(model)
    actions = {**log_entries.actions(catalog, model), **invitations.actions(model)}
    return replace(plain, handlers={**plain.handlers, **actions})


def _shape(rest: list[str]) -> tuple[str, str]:
    match rest:
        case []:
            return "many", ""
        case [id_]:
            return "one", id_
        case [id_, action] if action not in {"many", "one"}:
            return action, id_
    raise unknown_url()


def _handler(methods: Mapping[str, Handler], method: str) -> Handler:
    if method not in methods:
        raise not_allowed(method, ", ".join(methods))
    return methods[method]
