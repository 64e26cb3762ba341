"""The language of the planted world: `Tongue("auto").say(dice, ask)` is an utterance as people write it in that channel.

Formats of the word files: see phrases.py (what is said about a leaf), styles.py (how a channel builds an utterance), lines.py (the
little grammar of a line) and spoken.py (the facts a line may name).
"""
