"""Planted against found: for every truth beside a store's exports, what the store and the weekly figures know of it.

Only this room and tests may read a `_truth` folder; no page, no figure and no other command does.
"""

from voc_lib.evaluate.found import EvaluateError, evaluate, evaluate_answers, evaluate_people

__all__ = ["EvaluateError", "evaluate", "evaluate_answers", "evaluate_people"]
