"""What is asked of a password, and how it is kept."""

from __future__ import annotations

import asyncio

import pytest
from argon2 import Parameters, PasswordHasher, extract_parameters

from core.auth import passwords as module
from core.auth.passwords import Passwords, check_rules, is_common
from core.errors import Invalid, Unavailable


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "aaaaaaaaaaaa",
        "abababababab",
        "password1234",
        "P@ssw0rd!!!!",
        "1234567890",
        "qwertyuiop",
        "9876543210",
        "ana.reis.2026",
        "i-am-reisender",
        "x" * 201,
        "benfica20262026",
    ],
)
def test_a_password_that_is_guessed_first_is_refused(password: str) -> None:
    """Short, repeated, well-known, or about its owner: the field is named."""
    with pytest.raises(Invalid) as refused:
        check_rules(password, email="ana.reis@example.com", name="Ana Reis")
    assert [each.field for each in refused.value.errors] == ["password"]


@pytest.mark.parametrize("password", ["correct horse 42", "três tigres tristes", "🦊 raposa veloz"])
def test_a_good_password_is_taken(password: str) -> None:
    """A phrase of any alphabet passes."""
    check_rules(password, email="ana.reis@example.com", name="Ana Reis")


@pytest.mark.parametrize("password", ["ten char\0acters", "ten char\ud800acters"])
def test_what_cannot_be_typed_is_refused(password: str) -> None:
    """NUL bytes and lone surrogates name the field instead of breaking the server."""
    with pytest.raises(Invalid):
        check_rules(password, email="a@b.example", name="A")


def test_common_words_are_found_under_their_decoration() -> None:
    """Digits around and letters replaced do not make a word uncommon."""
    assert all(map(is_common, ("dragon2024!", "12sunshine34", "Welc0me2026!", "!!letmein!!")))
    assert not is_common("dragonfly over the lake")


async def test_a_hash_is_argon2id_with_the_agreed_parameters() -> None:
    """m=19 MiB, t=2, p=1, with a salt: equal passwords have different hashes."""
    passwords = Passwords()
    first, second = await passwords.hash("same password"), await passwords.hash("same password")
    assert first.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert first != second
    assert await passwords.matches("same password", first)
    assert not await passwords.matches("same passwore", first)
    passwords.close()


async def test_the_same_characters_composed_otherwise_match() -> None:
    """One keyboard sends é as one code point, another as two."""
    passwords = Passwords()
    kept = await passwords.hash("caf\u00e9 com leite")
    assert await passwords.matches("cafe\u0301 com leite", kept)
    passwords.close()


async def test_older_parameters_are_noticed() -> None:
    """A hash made with other parameters is due to be made again."""
    passwords = Passwords()
    old = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash("x" * 12)
    assert passwords.outdated(old)
    assert not passwords.outdated(await passwords.hash("x" * 12))
    passwords.close()


async def test_an_unknown_account_takes_the_work_of_a_known_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Timing does not tell who has an account: both compare one hash of the same cost."""
    compared: list[Parameters] = []
    verify = module._verify

    def noted(password: str, kept: str) -> bool:
        compared.append(extract_parameters(kept))
        return verify(password, kept)

    monkeypatch.setattr(module, "_verify", noted)
    passwords = Passwords()
    kept = await passwords.hash("correct horse 42")
    assert not await passwords.matches("wrong horse 42", kept)
    assert not await passwords.matches("wrong horse 42", None)
    known, unknown = compared
    assert known == unknown
    passwords.close()


async def test_more_at_once_than_the_machine_can_check_is_refused() -> None:
    """Sign-ins in flight are capped: the rest hears when to come again, and it recovers."""
    passwords = Passwords(threads=1, in_flight=3)
    asked = [passwords.hash(f"correct horse {n}") for n in range(10)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    refused = [each for each in answers if isinstance(each, Unavailable)]
    assert len(refused) == 7
    assert refused[0].retry_after == 2
    assert (await passwords.hash("correct horse again")).startswith("$argon2id$")
    passwords.close()


async def test_hashing_does_not_hold_up_the_event_loop() -> None:
    """While passwords are hashed, other work of the process goes on."""
    passwords = Passwords()
    hashing = asyncio.gather(*(passwords.hash(f"correct horse {n}") for n in range(6)))
    turns = 0
    while not hashing.done():
        await asyncio.sleep(0.005)
        turns += 1
    await hashing
    assert turns >= 5
    passwords.close()
