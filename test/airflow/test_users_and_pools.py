"""Runs users_and_pools.py in each Airflow of AIRFLOW_PYTHONS."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from users_deployment import FAB, Airflow, user


@pytest.fixture(scope="session", params=os.environ["AIRFLOW_PYTHONS"].split(":"), ids=lambda python: Path(python).parent.parent.name)
def airflow(request, tmp_path_factory):
    airflow = Airflow(request.param, tmp_path_factory.mktemp("airflow"))
    yield airflow
    airflow.close()


@pytest.fixture(scope="session")
def shared(airflow):
    return airflow.deploy()


@pytest.fixture
def deployment(shared):
    shared.apply()
    shared.reset()
    return shared


# Users


def test_creates_users_who_can_log_in(deployment):
    alice = user("alice", email="alice@example.com", firstName="Alice", lastName="Liddell", role="Op")
    result = deployment.apply([alice, user("bob")])
    assert result == {"lines": ["user 'alice': created", "user 'bob': created"], "failures": {}}
    assert deployment.account("alice") == ["alice", "alice@example.com", "Alice", "Liddell", True]
    assert deployment("login", "alice", "secret of alice") == ["Op"]
    assert deployment("login", "bob", "secret of bob") == ["Viewer"]
    assert deployment("login", "bob", "secret of alice") is None


def test_second_run_changes_nothing(deployment):
    users = [user("alice"), user("bob", role="Own")]
    pools = [{"name": "pool", "slots": 3, "description": "text"}]
    deployment.apply(users, pools)
    before = deployment.accounts(), deployment.pools()
    assert deployment.apply(users, pools) == {"lines": [], "failures": {}}
    assert (deployment.accounts(), deployment.pools()) == before


def test_everything_that_changed_arrives(deployment):
    deployment.apply([user("alice"), user("bob")])
    before = deployment.accounts()
    changed = user("alice", email="new@example.com", firstName="New", lastName="Name", role="Admin", password="another one")
    result = deployment.apply([changed, user("bob")])
    assert result["lines"] == ["user 'alice': changed first_name, last_name, email, roles, password"]
    assert deployment.account("alice") == ["alice", "new@example.com", "New", "Name", True]
    assert deployment("login", "alice", "another one") == ["Admin"]
    assert deployment("login", "alice", "secret of alice") is None
    assert deployment.accounts()["bob"] == before["bob"]


def test_an_unchanged_password_is_not_written_again(deployment):
    deployment.apply([user("alice")])
    before = deployment.sql("SELECT password FROM ab_user")
    assert deployment.apply([user("alice", role="Op")])["lines"] == ["user 'alice': changed roles"]
    assert deployment.sql("SELECT password FROM ab_user") == before


def test_a_role_that_does_not_exist_is_created_without_permissions(deployment):
    result = deployment.apply([user("alice", role="Own"), user("bob"), user("carol", role="Own")])
    assert result["failures"] == {}
    assert "role 'Own': did not exist, created without permissions" in result["lines"]
    assert deployment("login", "alice", "secret of alice") == ["Own"]
    assert deployment("login", "carol", "secret of carol") == ["Own"]
    deployment.sql("INSERT INTO ab_permission_view_role (id, permission_view_id, role_id) SELECT 100000, min(p.id), r.id"
                   " FROM ab_permission_view p, ab_role r WHERE r.name = 'Own' GROUP BY r.id")
    deployment.apply([user("alice", role="Own")])
    count = "SELECT count(*) FROM ab_permission_view_role x JOIN ab_role r ON r.id = x.role_id WHERE r.name = 'Own' AND x.id = 100000"
    assert deployment.sql(count) == [[1]], "permissions given in the UI stay"


def test_a_removed_user_is_deleted_and_can_come_back(deployment):
    deployment.apply([user("alice"), user("bob")])
    assert deployment.apply([user("bob")])["lines"] == ["user 'alice': no longer listed, deleted"]
    assert deployment("login", "alice", "secret of alice") is None
    assert list(deployment.accounts()) == ["bob"]
    assert deployment.apply([user("bob")])["lines"] == []
    deployment.apply([user("alice"), user("bob")])
    assert deployment("login", "alice", "secret of alice") == ["Viewer"]


def test_a_removed_user_whom_others_were_made_by_is_deleted(deployment):
    deployment.apply([user("admin", role="Admin"), user("alice")])
    deployment("make_user", "elsewhere", "elsewhere@example.com", "User", "own password")
    deployment.sql("UPDATE ab_user SET created_by_fk = a.id, changed_by_fk = a.id FROM ab_user a WHERE a.username = 'admin'")
    assert deployment.apply([user("alice")])["failures"] == {}
    assert sorted(deployment.accounts()) == ["alice", "elsewhere"]


def test_a_removed_user_to_whom_records_refer_is_locked_and_can_come_back(deployment):
    """Such as notes of Airflow 2."""
    deployment.sql("CREATE TABLE note (user_id integer REFERENCES ab_user (id))")
    try:
        deployment.apply([user("alice", email="a@example.com")])
        deployment.sql("INSERT INTO note SELECT id FROM ab_user")
        # the address is free for the one who follows
        result = deployment.apply([user("bob", email="a@example.com")])
        assert result["failures"] == {}
        assert "locked" in result["lines"][0]
        assert deployment("login", "alice", "secret of alice") is None
        assert deployment.account("alice")[4] is False
        assert deployment.sql("SELECT count(*) FROM ab_user_role x JOIN ab_user u ON u.id = x.user_id WHERE u.username = 'alice'") == [[0]]
        assert deployment.apply([user("bob", email="a@example.com")])["lines"] == []
        deployment.apply([user("alice"), user("bob", email="a@example.com")])
        assert deployment("login", "alice", "secret of alice") == ["Viewer"]
    finally:
        deployment.sql("DROP TABLE note")


def test_accounts_made_elsewhere_are_left_alone(deployment):
    deployment("make_user", "by-ui", "ui@example.com", "Admin", "own password")
    deployment("make_user", "by-oauth", "oauth@example.com", "User", "own password")
    deployment.sql("UPDATE ab_user SET password = NULL WHERE username = 'by-oauth'")
    before = deployment.accounts()
    deployment.apply([user("alice")])
    deployment.apply([])
    assert deployment.accounts() == before


def test_a_listed_account_that_was_made_elsewhere_is_taken_over(deployment):
    deployment("make_user", "alice", "old@example.com", "Admin", "own password")
    result = deployment.apply([user("alice")])
    assert result["lines"] == ["user 'alice': existed, is managed from now on; changed first_name, last_name, email, roles, password"]
    assert deployment("login", "alice", "secret of alice") == ["Viewer"]
    assert deployment("login", "alice", "own password") is None
    deployment.apply([])
    assert deployment.accounts() == {}


def test_a_locked_account_without_password_is_opened(deployment):
    deployment("make_user", "alice", "old@example.com", "Admin", "own password")
    deployment.sql("UPDATE ab_user SET password = NULL, active = false")
    deployment.apply([user("alice")])
    assert deployment("login", "alice", "secret of alice") == ["Viewer"]


@pytest.mark.parametrize("length", [2, 3])
def test_users_swap_their_addresses(deployment, length):
    names = ["alice", "bob", "carol"][:length]
    deployment.apply([user(name) for name in names])
    rotated = [user(name, email=f"{names[index - 1]}@example.com") for index, name in enumerate(names)]
    result = deployment.apply(rotated)
    assert result == {"lines": [f"user '{name}': changed email" for name in names], "failures": {}}
    for one in rotated:
        assert deployment.account(one["username"])[1] == one["email"]
        assert deployment("login", one["username"], one["password"]) == ["Viewer"]


def test_a_renamed_user_keeps_the_address(deployment):
    deployment.apply([user("alice", email="a@example.com")])
    assert deployment.apply([user("alicia", email="a@example.com")])["failures"] == {}
    assert list(deployment.accounts()) == ["alicia"]
    assert deployment("login", "alicia", "secret of alicia") == ["Viewer"]


def test_an_address_of_an_account_made_elsewhere_stops_that_user_only(deployment):
    deployment("make_user", "elsewhere", "taken@example.com", "Admin", "own password")
    result = deployment.apply([user("alice"), user("bob", email="taken@example.com"), user("carol")])
    assert list(result["failures"]) == ["user 'bob'"]
    assert "taken@example.com is that of 'elsewhere'" in result["failures"]["user 'bob'"]
    assert sorted(deployment.accounts()) == ["alice", "carol", "elsewhere"]
    assert deployment.account("elsewhere")[1] == "taken@example.com"


def test_two_users_with_one_address(deployment):
    result = deployment.apply([user("alice", email="a@example.com"), user("bob", email="a@example.com"), user("carol")])
    assert result["failures"] == {"user 'bob'": "its e-mail address a@example.com is listed for 'alice' as well"}
    assert sorted(deployment.accounts()) == ["alice", "carol"]


def test_two_names_that_differ_in_case_only(deployment):
    result = deployment.apply([user("Bob"), user("bob", email="other@example.com"), user("carol")])
    assert result["failures"] == {"user 'bob'": "'Bob' is listed as well, and is the same user to Airflow"}
    assert sorted(deployment.accounts()) == ["Bob", "carol"]


def test_a_name_whose_case_changes(deployment):
    deployment.apply([user("Bob")])
    before = deployment.sql("SELECT id FROM ab_user")
    result = deployment.apply([user("bob", email="Bob@example.com", password="secret of Bob")])
    assert result == {"lines": ["user 'bob': changed username"], "failures": {}}
    assert deployment.sql("SELECT id FROM ab_user") == before


def test_a_user_renamed_in_the_ui(deployment):
    deployment.apply([user("alice")])
    deployment.sql("UPDATE ab_user SET username = 'mallory'")
    assert deployment.apply([user("alice")])["failures"] == {}
    assert list(deployment.accounts()) == ["alice"]


def test_a_user_deleted_in_the_ui(deployment):
    deployment.apply([user("alice")])
    deployment.sql("DELETE FROM ab_user_role")
    deployment.sql("DELETE FROM ab_user")
    deployment("make_user", "alice-of-ui", "ui@example.com", "Admin", "own password")
    assert deployment.apply([])["lines"] == [], "what follows a managed account is not managed"
    deployment.apply([user("alice")])
    assert deployment("login", "alice", "secret of alice") == ["Viewer"]
    deployment.apply([])
    assert list(deployment.accounts()) == ["alice-of-ui"]


def test_changes_made_in_the_ui_are_undone(deployment):
    deployment.apply([user("alice")])
    deployment.sql("UPDATE ab_user SET active = false, first_name = 'Changed', password = NULL")
    deployment.sql("DELETE FROM ab_user_role")
    deployment.apply([user("alice")])
    assert deployment.account("alice") == ["alice", "alice@example.com", "First", "Last", True]
    assert deployment("login", "alice", "secret of alice") == ["Viewer"]


@pytest.mark.parametrize("fields, words", [
    ({"firstName": None}, "IntegrityError: null value in column \"first_name\""),
    ({"lastName": "x" * 300}, "DataError: value too long"),
    ({"password": ""}, "has no password"),
])
def test_a_user_that_the_database_refuses_stops_nobody_else(deployment, fields, words):
    result = deployment.apply([user("alice"), user("bob", **fields), user("carol")])
    assert list(result["failures"]) == ["user 'bob'"]
    assert words in result["failures"]["user 'bob'"]
    assert sorted(deployment.accounts()) == ["alice", "carol"]


def test_a_new_password_ends_sessions_and_old_rows_do_no_harm(deployment):
    deployment.apply([user("alice"), user("bob")])
    (alice,), (bob,) = (deployment.sql("SELECT id FROM ab_user WHERE username = :name", name=name)[0] for name in ("alice", "bob"))
    for number in (alice, str(alice), bob):  # Airflow 2 and 3 differ in the type
        deployment("make_session", number)
    # pickles of an older Airflow, and nothing at all
    deployment.sql(r"INSERT INTO session (session_id, data, expiry) VALUES ('old', '\x80049500', now()), ('none', NULL, now())")
    deployment.apply([user("alice", role="Op"), user("bob")])
    assert deployment.sql("SELECT count(*) FROM session") == [[5]]
    result = deployment.apply([user("alice", role="Op", password="another one"), user("bob")])
    assert result == {"lines": ["user 'alice': changed password"], "failures": {}}
    assert deployment.sql("SELECT count(*) FROM session") == [[3]]
    assert deployment("login", "alice", "another one") == ["Op"]


# Pools


def test_pools_are_created_changed_and_deleted(deployment):
    deployment.sql("INSERT INTO slot_pool (pool, slots, description, include_deferred) VALUES ('by-ui', 5, 'text', true)")
    before = deployment.pools()
    one, two = {"name": "one", "slots": 1, "description": "first"}, {"name": "two", "slots": -1, "includeDeferred": True}
    assert deployment.apply(pools=[one, two]) == {"lines": ["pool 'one': created", "pool 'two': created"], "failures": {}}
    assert deployment.pools()["one"][:3] == [1, "first", False]
    assert deployment.pools()["two"][:3] == [-1, "", True]
    assert deployment.apply(pools=[{**one, "slots": 7}, two])["lines"] == ["pool 'one': changed slots"]
    assert deployment.apply(pools=[two])["lines"] == ["pool 'one': no longer listed, deleted"]
    assert deployment.apply()["failures"] == {}
    assert deployment.pools() == before


def test_pools_whose_names_differ_in_case(deployment):
    deployment.apply(pools=[{"name": "a", "slots": 1}, {"name": "A", "slots": 2}])
    deployment.apply(pools=[{"name": "a", "slots": 1}])
    assert sorted(deployment.pools()) == ["a", "default_pool"]


def test_the_default_pool_can_be_changed_but_not_deleted(deployment):
    deployment.apply(pools=[{"name": "default_pool", "slots": 64, "description": "Default pool"}])
    assert deployment.pools()["default_pool"][0] == 64
    result = deployment.apply()
    assert result == {"lines": ["pool 'default_pool': no longer listed, left as it is, for Airflow cannot do without"], "failures": {}}
    assert deployment.pools()["default_pool"][0] == 64


def test_a_pool_that_the_database_refuses_stops_nothing_else(deployment):
    result = deployment.apply([user("alice")], [{"name": "x" * 300, "slots": 1}, {"name": "good", "slots": 1}])
    assert len(result["failures"]) == 1
    assert "good" in deployment.pools()
    assert deployment("login", "alice", "secret of alice") == ["Viewer"]


# The process


def test_a_new_database_by_two_processes_at_once(airflow):
    """And Airflow's own beside it, as the web server or API server does: all make the same roles and permissions."""
    new = airflow.deploy()
    users, pools = [user("alice"), user("bob", role="Own")], [{"name": "pool", "slots": 1}]
    running = [new.start(users, pools) for _ in range(2)]
    beside = subprocess.run([airflow.python, "-m", "airflow", "sync-perm"], env=new.environment, capture_output=True, text=True)
    print(beside.returncode, beside.stderr[-500:])
    for process in running:
        process.wait_for("done:")
    assert sorted(line for process in running for line in process.lines if line.startswith("user")) == [
        "user 'alice': created", "user 'bob': created"]
    assert new("login", "alice", "secret of alice") == ["Viewer"]
    assert new.sql("SELECT count(*) > 20 FROM ab_permission_view_role x JOIN ab_role r ON r.id = x.role_id WHERE r.name = 'Viewer'") == [[True]]
    assert new.apply(users, pools) == {"lines": [], "failures": {}}


def test_becomes_ready_and_stops_at_once(deployment):
    process = deployment.start([user("alice")], [{"name": "pool", "slots": 1}])
    process.wait_for("user 'alice': created")
    process.wait_for("done:")
    assert process.ready.exists()
    time.sleep(1)
    status = Path(f"/proc/{process.process.pid}/status").read_text()
    assert status.startswith("Name:\tsleep"), "the memory of Airflow is given back"
    assert process.stop() < 1
    assert deployment("login", "alice", "secret of alice") == ["Viewer"]


def test_is_ready_with_failures_and_tries_again(deployment):
    deployment("make_user", "elsewhere", "bob@example.com", "Admin", "own password")
    process = deployment.start([user("alice"), user("bob")]).wait_for("trying again")
    assert process.ready.exists()
    said = [line for line in process.lines if "failed" in line.lower()]
    assert said == [
        "FAILED user 'bob': its e-mail address bob@example.com is that of 'elsewhere', an account that is not managed here",
        "1 of 2 users and 0 pools failed: user 'bob'; trying again every 1 s",
    ]
    time.sleep(4)
    assert [line for line in process.lines if "failed" in line.lower()] == said, "said once"
    deployment.sql("UPDATE ab_user SET email = 'moved@example.com' WHERE username = 'elsewhere'")
    process.wait_for("done:")
    assert deployment("login", "bob", "secret of bob") == ["Viewer"]
    process.stop()


def test_stops_at_once_while_it_tries_again(deployment):
    process = deployment.start([user("alice", password="")], retry=60).wait_for("trying again")
    assert process.stop() < 1


def test_is_not_ready_before_the_database_answers(deployment):
    wrong = deployment.environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] + "_missing"
    process = deployment.start([user("alice")], AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=wrong).wait_for("trying again every 5 s")
    assert not process.ready.exists()
    assert not [line for line in process.lines if "secret of" in line]
    process.stop()


def test_without_lists_it_removes_nobody(deployment):
    deployment.apply([user("alice")])
    process = deployment.start(AIRFLOW_ON_EKS_USERS=None)
    assert process.process.wait(120) != 0
    assert list(deployment.accounts()) == ["alice"]


def test_with_another_auth_manager(deployment):
    """Pools are managed, and the accounts of FAB are nobody's."""
    deployment.apply([user("alice")])
    (deployment.folder / "own_auth.py").write_text("class OwnAuthManager:\n    pass\n")
    own = {"AIRFLOW__CORE__AUTH_MANAGER": "own_auth.OwnAuthManager"}
    deployment.start(pools=[{"name": "pool", "slots": 1}], **own).wait_for("done:").stop()
    assert "pool" in deployment.pools()
    assert list(deployment.accounts()) == ["alice"]
    process = deployment.start([user("alice")], [{"name": "pool", "slots": 2}], **own).wait_for("trying again")
    assert "FAILED users: only the FAB auth manager has users of its own, and this is OwnAuthManager" in process.lines
    assert deployment.pools()["pool"][0] == 2
    process.stop()


def test_sixty_users(deployment):
    """Prints what they take: pytest -rP."""
    users = [user(f"user{number}", role="Own" if number % 2 else "Op") for number in range(60)]
    for _ in range(2):
        begin = time.time()
        process = deployment.start(users).wait_for("done:")
        print(f"{time.time() - begin:.1f} s")
        process.stop()
    assert len(deployment.accounts()) == 60
    assert deployment("login", "user59", "secret of user59") == ["Own"]
