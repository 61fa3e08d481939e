"""Annotations are looked at once, at the first call of a function, also where several threads make it at the same time."""

from __future__ import annotations

import importlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from plasticity.errors import WrongUse

module = importlib.import_module("plasticity.checked")


def test_threads_that_call_a_function_first_are_all_held_to_its_annotations(monkeypatch):
    look = module._test
    together = threading.Barrier(4)

    def slowly(*given):
        time.sleep(0.02)
        return look(*given)

    monkeypatch.setattr(module, "_test", slowly)

    @module.checked
    def added(a: int, b: int, c: int) -> int:
        return a + b + c

    def call(c):
        together.wait()
        time.sleep(0.01 * abs(c))  # in the midst of what the first one does
        try:
            return added(1, 2, c=c if c >= 0 else "3")
        except WrongUse as error:
            return str(error)

    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(call, (0, -1, 3, -5)))
    refused = "added: c='3' must be a whole number, like 3."
    assert [said if isinstance(said, int) else said.rpartition("<locals>.")[2] for said in found] == [3, refused, 6, refused]
