"""Brings the users and pools of an Airflow deployment in line with two lists, then waits to be stopped.

usage: python users_and_pools.py [READY_FILE]

Runs in a container of the Airflow image, with Airflow 2.11 or 3 and its configuration. It reads from the environment
- AIRFLOW_ON_EKS_USERS, a JSON list of {username, email, firstName, lastName, role, passwordVariable}: the last one names
  the environment variable that holds the password;
- AIRFLOW_ON_EKS_POOLS, a JSON list of {name, slots, description?, includeDeferred?}.

Whatever has been listed is managed from then on: created, changed to match the list, and removed when no longer listed.
All other accounts and pools are left alone. READY_FILE appears once everything has been tried. What failed is reported
and tried again every minute, and never stops the rest.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import sys
import time
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "WARNING"  # each of 250 permissions is a line of a new database
warnings.simplefilter("ignore")  # Airflow's own deprecations

from airflow import settings
from airflow.configuration import conf
from airflow.models.pool import Pool
from airflow.utils.providers_configuration_loader import providers_configuration_loaded
from airflow.utils.session import create_session
from sqlalchemy import Column, Integer, MetaData, String, Table, delete, func, inspect, select, text, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

LOCK = 0x41694F6E454B53  # 'AiOnEKS', our number among the advisory locks of the database
RETRY_SECONDS, RETRY_SECONDS_UNTIL_READY = 60, 5

# What is managed. A table of our own is not shown in the UI, where it could be changed by mistake, and changes in the same
# transaction as the user or pool. By id, which survives renaming. No foreign key: it would stop `airflow db reset`.
RECORD = Table("airflow_on_eks_managed", MetaData(),
               Column("kind", String(4), primary_key=True), Column("id", Integer, primary_key=True, autoincrement=False))

Item = dict[str, Any]  # of a list
contexts = contextlib.ExitStack()
say = functools.partial(print, flush=True)


def reason(error: BaseException) -> str:
    """The error in one line. Of a database error only the first: the others show values, such as hashes of passwords."""
    if isinstance(error, SQLAlchemyError):
        return f"{type(error).__name__}: {str(getattr(error, 'orig', error)).strip().splitlines()[0]}"
    return str(error) if type(error) is ValueError else f"{type(error).__name__}: {error}"


class Failures(dict[str, str]):
    """What failed, and why."""

    @contextlib.contextmanager
    def apart(self, what: str) -> Iterator[Any]:
        """A database session for one thing, whose failure is noted and stops nothing else."""
        try:
            with create_session() as session:
                yield session
        except Exception as error:
            self[what] = reason(error)


class Managed:
    """What a list manages of a kind of things. Each kind has its own `remove`, which says how, and `put`, to create or change."""

    kind: str
    model: Any
    column: str  # of the model, with the name
    field: str  # of an item, with the name
    remove: Any
    put: Any

    def apply(self, items: list[Item], failures: Failures) -> None:
        """Removes first, which frees what must be unique."""
        known: list[Any] = []
        with failures.apart(f"finding each {self.kind} that is no longer listed") as session:
            known = self._known(session)
        for number, name in known:
            if self.key(name) not in {self.key(item[self.field]) for item in items}:
                with failures.apart(f"{self.kind} '{name}'") as session:
                    session.execute(delete(RECORD).where(RECORD.c.kind == self.kind, RECORD.c.id == number))
                    say(f"{self.kind} '{name}': no longer listed, {self.remove(session, session.get(self.model, number))}")
        for index, item in enumerate(items):
            with failures.apart(f"{self.kind} '{item[self.field]}'") as session:
                self.put(session, item, items[:index])

    def key(self, name: str) -> str:
        """Alike for names that Airflow takes for the same."""
        return name

    def is_managed(self, session: Any, number: int) -> bool:
        return session.execute(select(RECORD).where(RECORD.c.kind == self.kind, RECORD.c.id == number)).first() is not None

    def _known(self, session: Any) -> list[Any]:
        """Ids and names of what is managed. What somebody else has deleted is forgotten first."""
        number, ours = self.model.id, RECORD.c.kind == self.kind
        session.execute(delete(RECORD).where(ours, RECORD.c.id.not_in(select(number))))
        name = getattr(self.model, self.column)
        return session.execute(select(number, name).where(number.in_(select(RECORD.c.id).where(ours)))).all()

    def _save(self, session: Any, thing: Any, wanted: dict[str, Any]) -> None:
        """Sets what differs, saves the thing as managed, and says what that is to it."""
        existed = thing.id is not None
        changed = [field for field, value in wanted.items() if getattr(thing, field) != value]
        for field in changed:
            setattr(thing, field, wanted[field])
        session.add(thing)
        session.flush()
        what, changes = f"{self.kind} '{getattr(thing, self.column)}'", ", ".join(changed)
        if not self.is_managed(session, thing.id):
            session.execute(RECORD.insert().values(kind=self.kind, id=thing.id))
            say(f"{what}: existed, is managed from now on; changed {changes or 'nothing'}" if existed else f"{what}: created")
        elif changed:
            say(f"{what}: changed {changes}")


class Pools(Managed):
    kind, model, column, field = "pool", Pool, "pool", "name"

    def remove(self, session: Any, thing: Any) -> str:
        """Also while it is in use: tasks that name it wait until there is one again."""
        if thing.pool == Pool.DEFAULT_POOL_NAME:
            return "left as it is, for Airflow cannot do without"
        session.delete(thing)
        return "deleted"

    def put(self, session: Any, item: Item, earlier: list[Item]) -> None:
        pool = session.scalars(select(Pool).where(Pool.pool == item["name"])).one_or_none() or Pool(pool=item["name"])
        deferred = item.get("includeDeferred", False)
        self._save(session, pool, {"slots": item["slots"], "description": item.get("description", ""), "include_deferred": deferred})


@functools.cache
@providers_configuration_loaded
def security_manager() -> Any:
    """FAB's, in an application context that stays: Airflow would keep each of several in memory."""
    from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder

    return contexts.enter_context(get_application_builder()).sm


@functools.cache
def is_password(hashed: str, password: str) -> bool:
    """Slow on purpose, so each answer is kept for the next try."""
    from werkzeug.security import check_password_hash

    return check_password_hash(hashed, password)


class Users(Managed):
    """Accounts of the FAB auth manager."""

    kind, column, field = "user", "username", "username"

    def __init__(self) -> None:
        from flask import current_app

        self.sm, self.app = security_manager(), current_app
        self.model, self.role = self.sm.user_model, self.sm.role_model

    def key(self, name: str) -> str:
        return name.lower()

    def remove(self, session: Any, thing: Any) -> str:
        """Deletes the account, or locks it if Airflow still refers to it: notes of Airflow 2 belong to an account."""
        thing.roles = []  # a token of Airflow 3 that is still valid may do nothing any more
        if hasattr(thing, "groups"):
            thing.groups = []
        try:
            with session.begin_nested():
                for made in (self.model.created_by_fk, self.model.changed_by_fk):
                    session.execute(update(self.model).where(made == thing.id).values({made.key: None}))
                session.execute(delete(self.model).where(self.model.id == thing.id))
            return "deleted"
        except IntegrityError:
            thing.active, thing.email = False, self._stand_in(thing)
            return "locked, and not deleted because notes or other records refer to it"

    def put(self, session: Any, item: Item, earlier: list[Item]) -> None:
        from werkzeug.security import generate_password_hash

        username, email, password = item["username"], item["email"], os.environ.get(item["passwordVariable"])
        if not password:
            raise ValueError(f"the environment variable {item['passwordVariable']} has no password")
        for other in earlier:
            if self.key(other["username"]) == self.key(username):
                raise ValueError(f"'{other['username']}' is listed as well, and is the same user to Airflow")
            if other["email"] == email:
                raise ValueError(f"its e-mail address {email} is listed for '{other['username']}' as well")
        same = func.lower(self.model.username) == func.lower(username)
        account = session.scalars(select(self.model).where(same)).one_or_none() or self.model()
        self._free(session, email, account)
        hashed = account.password or ""
        if not is_password(hashed, password):
            hashed = generate_password_hash(password, method=self.app.config.get("FAB_PASSWORD_HASH_METHOD", "scrypt"))
            for row in self._web_sessions.get(str(account.id), []) if account.id else []:  # a new password ends them, as with FAB
                session.execute(text("DELETE FROM session WHERE id = :row"), {"row": row})
        wanted = {"username": username, "first_name": item["firstName"], "last_name": item["lastName"], "email": email}
        self._save(session, account, {**wanted, "active": True, "roles": [self._role(item["role"], session)], "password": hashed})

    def make_roles(self, items: list[Item], failures: Failures) -> None:
        for name in sorted({item["role"] for item in items}):
            with failures.apart(f"role '{name}'") as session:
                if not self._role(name, session):
                    self.sm.sync_roles()  # a new database of Airflow 2 has only Admin
                if not self._role(name, session):
                    session.add(self.role(name=name))
                    say(f"role '{name}': did not exist, created without permissions")

    def _role(self, name: str, session: Any) -> Any:
        return session.scalars(select(self.role).where(self.role.name == name)).unique().one_or_none()

    def _free(self, session: Any, email: str, account: Any) -> None:
        """Takes the address from another managed account, to which its own turn gives the one of the list."""
        holder = session.scalars(select(self.model).where(self.model.email == email)).one_or_none()
        if holder and holder is not account:
            if not self.is_managed(session, holder.id):
                raise ValueError(f"its e-mail address {email} is that of '{holder.username}', an account that is not managed here")
            holder.email = self._stand_in(holder)
            session.flush()

    @staticmethod
    def _stand_in(account: Any) -> str:
        return f"{account.id}@airflow-on-eks.invalid"

    @functools.cached_property
    def _web_sessions(self) -> dict[str, list[int]]:
        """Rows of stored sessions by user id. Those of an older Airflow cannot be read, and by this Airflow neither."""
        found: dict[str, list[int]] = {}
        with settings.engine.connect() as connection:
            rows = connection.execute(text("SELECT id, data FROM session")) if inspect(connection).has_table("session") else []
            for row, data in rows:
                with contextlib.suppress(Exception):
                    owner = self.app.session_interface.serializer.decode(bytes(data))["_user_id"]
                    found.setdefault(str(owner), []).append(row)
        return found


def apply(users: list[Item], pools: list[Item]) -> Failures:
    """Applies both lists once. A second replica waits for the first: by transaction, which PgBouncer keeps on one connection."""
    failures, auth_manager = Failures(), conf.getimport("core", "auth_manager")
    with settings.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        RECORD.create(settings.engine, checkfirst=True)
        Pools().apply(pools, failures)
        if any(base.__name__ == "FabAuthManager" for base in auth_manager.__mro__):
            managed = Users()
            managed.make_roles(users, failures)
            managed.apply(users, failures)
        elif users:
            failures["users"] = f"only the FAB auth manager has users of its own, and this is {auth_manager.__name__}"
    return failures


def main(ready: Path) -> None:
    """Applies the lists until nothing fails, and becomes a process that only waits, without the memory of Airflow."""
    ready.unlink(missing_ok=True)  # of an earlier container on the same volume
    users, pools = (json.loads(os.environ[f"AIRFLOW_ON_EKS_{kind}"]) for kind in ("USERS", "POOLS"))  # without: remove nobody
    reported: dict[str, str] = {}
    while True:
        try:
            failures = apply(users, pools)
            ready.touch()
        except (Exception, SystemExit) as error:  # Airflow 2 exits where another process makes the same permission
            failures = Failures(everything=reason(error))
            if failures != reported:
                traceback.print_exc()
        if not failures:
            say(f"done: {len(users)} users and {len(pools)} pools are as listed")
            os.execvp("sleep", ["sleep", "infinity"])
        pause = RETRY_SECONDS if ready.exists() else RETRY_SECONDS_UNTIL_READY
        if failures != reported:
            for what, why in failures.items():
                say(f"FAILED {what}: {why}")
            say(f"{len(failures)} of {len(users)} users and {len(pools)} pools failed: {', '.join(failures)}; trying again every {pause} s")
        reported = failures
        time.sleep(pause)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "/tmp/done"))
