"""Answers the tests of users_and_pools.py from inside Airflow: a line of JSON in, a line of JSON out.

Runs in the Python of an Airflow, with the application context that the program itself makes.
"""

import contextlib
import io
import json
import os
import sys
from typing import Any

answers, sys.stdout = os.fdopen(os.dup(1), "w"), sys.stderr  # whatever Airflow prints is no answer
os.dup2(2, 1)

import users_and_pools
from airflow import settings
from flask import current_app, session as web_session
from sqlalchemy import text


def apply(users: list, pools: list, environment: dict) -> dict:
    """Runs the program once: what it printed, and what failed."""
    os.environ.update(environment)
    with contextlib.redirect_stdout(io.StringIO()) as output:
        failures = users_and_pools.apply(users, pools)
    return {"lines": output.getvalue().splitlines(), "failures": dict(failures)}


def login(username: str, password: str) -> Any:
    """The names of the user's roles, or None if FAB does not let them in."""
    with current_app.test_request_context():
        user = users_and_pools.security_manager().auth_user_db(username, password)
        return user and sorted(role.name for role in user.roles)


def make_user(username: str, email: str, role: str, password: str) -> None:
    """As the UI does it."""
    sm = users_and_pools.security_manager()
    sm.add_user(username, "Made", "Elsewhere", email, sm.find_role(role), password=password)


def make_session(number: Any) -> None:
    """A stored web session of a user, as this Airflow writes it."""
    serializer = current_app.session_interface.serializer
    data = serializer.encode({"_user_id": number, "_fresh": True})
    with settings.engine.begin() as connection:
        connection.execute(
            text("INSERT INTO session (session_id, data, expiry) VALUES (:id, :data, now() + interval '1 day')"),
            {"id": os.urandom(8).hex(), "data": data},
        )


def sql(statement: str, parameters: dict) -> list:
    with settings.engine.begin() as connection:
        result = connection.execute(text(statement), parameters)
        return [list(row) for row in result] if result.returns_rows else []


if __name__ == "__main__":
    users_and_pools.security_manager()
    for line in sys.stdin:
        name, arguments = json.loads(line)
        settings.Session.remove()
        try:
            answer = {"answer": globals()[name](*arguments)}
        except Exception as error:
            answer = {"error": repr(error)}
        settings.Session.remove()
        print(json.dumps(answer, default=str), file=answers, flush=True)
