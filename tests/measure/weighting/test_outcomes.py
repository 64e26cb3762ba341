"""What the silent would have said: figures by hand, what is the same thing in other words, the jackknife as reference, planted customers, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from voc_lib.measure.weighting.cells import cells_of, mean_of_cells, weigh_cells
from voc_lib.measure.weighting.inference import Sampling, weighted_mean
from voc_lib.measure.weighting.margins import WeightingError
from voc_lib.measure.weighting.outcomes import about_everybody, dr, dr_cells, mrp, mrp_cells, smooth
from voc_lib.measure.weighting.propensity import ipw
from voc_lib.measure.weighting.weights import ALL_SPOKE, calibrate
from voc_lib.stats.augmented import Outcome, Spoken, augmented, line

FIGURES = ("estimate", "std_error", "conf_low", "conf_high", "effective_n")


def customers(people=6000, seed=8):
    """Everybody, with satisfaction and a chance to speak that hang together through what is known of all, in pairs too."""
    lots = np.random.default_rng(seed)
    city, visits, plan = lots.integers(0, 5, people), np.minimum(lots.poisson(0.8, people), 3), lots.integers(0, 4, people)
    y = 6 + 0.4 * city - 0.9 * visits + 0.5 * (plan == 2) - 0.8 * ((visits >= 2) & (plan >= 2)) + lots.normal(0, 1.5, people)
    odds = -2.6 + 0.7 * visits - 0.3 * city + 0.7 * ((visits >= 2) & (plan >= 2))
    return pl.DataFrame({"city": city, "visits": visits, "plan": plan.astype(str), "score": y, "chance": 1 / (1 + np.exp(-odds))})


EVERYBODY = customers()
COVARIATES = ("city", "visits", "plan")
POPULATION = EVERYBODY.group_by(COVARIATES).agg(pl.len().alias("count")).sort(COVARIATES)


def speakers(seed=1):
    return EVERYBODY.filter(pl.Series(np.random.default_rng(seed).random(EVERYBODY.height)) < pl.col("chance"))


def numbers(found):
    return found.select(FIGURES).to_numpy().astype(float)


def test_mrp_of_two_cities_by_hand():
    # four and four people, means 4 and 8, squares about them 2 each: MSW = 4/6, MSB = 4*(4+4)/1 = 32; variance of cities (32 - 2/3)/4 = 47/6; shrunk by (47/6)/(47/6 + 1/6) = 47/48
    frame = pl.DataFrame({"city": ["甲"] * 4 + ["乙"] * 4, "score": [3, 4, 4, 5, 7, 8, 8, 9]})
    population = pl.DataFrame({"city": ["甲", "乙"], "count": [40, 10]})
    # the silent of 甲 are 36 of 40, predicted 6 - 2 * 47/48; those who spoke said 4
    found = mrp(frame, "score", population, "city")
    assert found["city"].to_list() == ["乙", "甲"] and found["estimate"][1] == pytest.approx((4 * 4 + 36 * (6 - 2 * 47 / 48)) / 40, rel=1e-4)
    # variance of what is predicted: within * (shrunk / 4 + (1 - shrunk) / 8) * (36/40)^2, and 36 people of their own
    within, shrunk = 2 / 3, 47 / 48
    assert found["std_error"][1] == pytest.approx(math.sqrt(within * (shrunk / 4 + (1 - shrunk) / 8) * 0.81 + within * 36 / 40**2), rel=1e-3)
    assert found["n"].to_list() == [4, 4] and mrp(frame, "score", population)["n"].item() == 8


def test_who_did_not_answer_is_not_there():
    frame = speakers().with_columns(pl.when(pl.col("score") > 9).then(None).otherwise("score").alias("score"))
    for figure in (mrp, dr):
        assert_frame_equal(figure(frame, "score", POPULATION), figure(frame.drop_nulls("score"), "score", POPULATION))


@pytest.mark.parametrize("by", [None, "visits"])
def test_cells_say_what_their_people_say(by):
    frame = speakers()
    cells = cells_of(frame, "score", POPULATION)
    weighted = weigh_cells(cells)[0]
    assert numbers(mrp_cells(cells, by)) == pytest.approx(numbers(mrp(frame, "score", POPULATION, by)), rel=1e-9)
    for outcome in ("mrp", "linear"):
        for fpc in (False, True):
            people, ours = dr(frame, "score", POPULATION, by, outcome, fpc=fpc), dr_cells(cells, weighted["weight"], by, outcome, fpc=fpc)
            assert numbers(ours) == pytest.approx(numbers(people), rel=1e-9)
    assert_frame_equal(dr_cells(cells, weighted["weight"], by, fit=smooth(cells)), dr_cells(cells, weighted["weight"], by))


def test_a_straight_line_and_weights_on_the_same_columns_are_the_calibrated_mean():
    """The line leaves nothing that calibrated weights have not met already, so dr and its error are those of the weights alone."""
    frame = speakers()
    raked = calibrate(frame, POPULATION)
    assert numbers(dr(frame, "score", POPULATION, outcome="linear", fpc=False))[:, :2] == pytest.approx(numbers(weighted_mean(raked, "score", sampling=Sampling(se="hc3")))[:, :2], rel=1e-8)
    straight = calibrate(frame, POPULATION, "linear")
    equal = frame.with_columns(pl.lit(EVERYBODY.height / frame.height).alias("weight"))
    model_alone = dr(frame, "score", POPULATION, outcome="linear", weighted=equal)  # residuals of least squares add up to 0
    assert model_alone["estimate"].item() == pytest.approx((straight["score"] * straight["weight"]).sum() / EVERYBODY.height, rel=1e-9)


def test_augmented_inverse_propensities_by_their_formula():
    frame, lines = speakers(), EVERYBODY.select(pl.col("city", "visits").cast(pl.Float64), "plan")
    weighted = ipw(frame, lines)
    w, y = weighted["weight"].to_numpy(), frame["score"].to_numpy()
    x, everybody = (np.column_stack([np.ones(table.height), table["city"], table["visits"], *(table["plan"] == level for level in "123")]).astype(float) for table in (frame, EVERYBODY))
    slopes = np.linalg.lstsq(x, y, rcond=None)[0]
    off, model = y - x @ slopes, (everybody @ slopes).mean()
    assert dr(frame, "score", lines, weighting="ipw")["estimate"].item() == pytest.approx(model + w @ off / w.sum(), rel=1e-10)
    assert dr(frame, "score", lines, weighting="ipw", divide="people")["estimate"].item() == pytest.approx(model + w @ off / EVERYBODY.height, rel=1e-10)
    assert numbers(dr(frame, "score", lines, weighted=weighted)) == pytest.approx(numbers(dr(frame, "score", lines, weighting="ipw")), rel=1e-12)


@pytest.mark.parametrize("calibrated", [False, True])
def test_the_error_is_that_of_leaving_out_one_after_the_other(calibrated):
    """A rich model (leverage .3) beside any weights, or beside GREG weights on fewer columns, which are made anew without him."""
    lots = np.random.default_rng(4)
    few = np.column_stack([np.ones(150), lots.normal(size=(150, 3))])
    rich = np.column_stack([few, lots.normal(size=(150, 40))])
    totals, everybody = np.array([900.0, 300, -200, 50]), np.r_[1, 1 / 3, -2 / 9, 1 / 18, lots.normal(0, 0.1, 40)][None]
    y, given = few @ [1, 2, 3, 4] + lots.normal(size=150), lots.uniform(1, 9, 150)

    def weights(kept):
        return 1 + few[kept] @ np.linalg.solve(few[kept].T @ few[kept], totals - few[kept].sum(0)) if calibrated else given[kept]

    def estimate(kept):
        slopes = np.linalg.lstsq(rich[kept], y[kept], rcond=None)[0]
        return (everybody @ slopes).item() + np.average(y[kept] - rich[kept] @ slopes, weights=weights(kept))

    every, one = np.arange(150), np.ones((150, 1))
    jackknife = math.sqrt(sum((estimate(every != at) - estimate(every == every)) ** 2 for at in every))
    spoken = Spoken(np.ones(150), y, y**2, weights(every == every), np.ones(150))
    found, error, *_ = augmented(spoken, line(spoken, rich, everybody, one), one, np.array([900.0]), few if calibrated else None)
    assert found.item() == pytest.approx(estimate(every == every)) and error.item() == pytest.approx(jackknife, rel=1e-6)


def test_smoothed_model_and_any_weights_by_dense_algebra():
    """Weights that meet no margin: the model moves with every answer, and nothing is taken out of the residuals but their mean."""
    frame = speakers().with_columns(pl.Series("weight", np.random.default_rng(3).uniform(1, 20, speakers().height)))
    fit = smooth(cells_of(frame, "score", POPULATION))

    def columns(table):
        found, spread = [np.ones(table.height)], [np.inf]
        for kind, tau in fit.between.items():
            names = [COVARIATES[at] for at in kind]
            for level in POPULATION.select(names).unique().sort(names).rows() if tau > 0 else []:
                found.append(np.all([(table[name] == value).to_numpy() for name, value in zip(names, level)], axis=0))
                spread.append(tau)
        return np.array(found, float).T, np.array(spread)

    (x, spread), everybody, y, w = columns(frame), columns(EVERYBODY)[0].mean(0), frame["score"].to_numpy(), frame["weight"].to_numpy()
    inverse = np.linalg.inv(x.T @ x + np.diag(fit.within / spread))
    off, pull = y - x @ (inverse @ (x.T @ y)), x @ (inverse @ (everybody - np.average(x, weights=w, axis=0)))
    middle, share, leverage = np.average(off, weights=w), w / w.sum(), np.einsum("ip,pq,iq->i", x, inverse, x)
    carried = x @ (inverse @ np.average(x, weights=w, axis=0))
    moved = pull * off / (1 - leverage) + share * (off * (1 - carried) / (1 - leverage) - middle) / (1 - share)
    found = dr(frame, "score", POPULATION, weighted=frame, fpc=False).row(0, named=True)
    assert found["estimate"] == pytest.approx(everybody @ inverse @ x.T @ y + middle, rel=1e-9) and found["estimate"] == pytest.approx((share + pull) @ y, rel=1e-9)
    assert found["std_error"] == pytest.approx(np.sqrt((moved**2).sum()), rel=1e-7) and found["effective_n"] == pytest.approx(1 / ((share + pull) ** 2).sum(), rel=1e-7)


def test_finite_population_by_hand():
    # five of twenty, equal weights, no model: the error shrinks by the square root of 1 - 5/20
    y = np.array([1.0, 4, 4, 7, 9])
    spoken, nothing = Spoken(np.ones(5), y, y**2, np.full(5, 4.0), np.ones(5)), Outcome(np.zeros(1), np.zeros(5), np.zeros(5), np.zeros((5, 1)), np.zeros_like)
    plain, fewer = (augmented(spoken, nothing, np.ones((5, 1)), np.array([20.0]), None, fpc)[1].item() for fpc in (False, True))
    assert plain == pytest.approx(np.std(y, ddof=1) / 2) and fewer == pytest.approx(plain * math.sqrt(0.75))
    frame = speakers()
    with_all, these = (dr(frame, "score", POPULATION, fpc=fpc)["std_error"].item() for fpc in (False, True))
    assert 0.7 * with_all < these < with_all


def test_few_who_carry_the_error_give_few_degrees():
    y = np.array([1.0, 4, 4, 7, 9])
    nothing = Outcome(np.zeros(1), np.zeros(5), np.zeros(5), np.zeros((5, 1)), np.zeros_like)
    equal, one = (augmented(Spoken(np.ones(5), y, y**2, np.array(w, float), np.ones(5)), nothing, np.ones((5, 1)), np.array([20.0]), None)[2].item() for w in ([4] * 5, [1000, 1, 1, 1, 1]))
    assert equal == 4 and one == pytest.approx(1, abs=0.01)  # five alike: at most n - 1


def test_shift_scale_order_and_unused_columns():
    frame = speakers()
    for figure in (mrp, dr):
        told = numbers(figure(frame, "score", POPULATION, "city"))[:, :2]
        other = frame.sample(fraction=1, shuffle=True, seed=2).with_columns(pl.col("score") * 3 + 10, pl.lit(float("nan")).alias("age"))
        moved = numbers(figure(other, "score", POPULATION.sample(fraction=1, shuffle=True, seed=3), "city"))[:, :2]
        assert moved[:, 0] == pytest.approx(10 + 3 * told[:, 0], rel=1e-5) and moved[:, 1] == pytest.approx(3 * told[:, 1], rel=1e-3)


def test_everybody_spoke():
    plain = EVERYBODY.group_by("city").agg(pl.col("score").mean()).sort("city")["score"]
    for figure in (mrp, dr):
        found = figure(EVERYBODY, "score", POPULATION)
        assert found["estimate"].item() == pytest.approx(EVERYBODY["score"].mean(), rel=1e-12) and found["std_error"].item() == 0 and found["conf_low"].item() == found["estimate"].item()
        assert ALL_SPOKE in found["note"].item()
        assert figure(EVERYBODY, "score", POPULATION, "city")["estimate"].to_list() == pytest.approx(plain.to_list())


def test_a_segment_without_a_voice():
    frame = speakers().filter(pl.col("city") != 4)
    found = mrp(frame, "score", POPULATION, "city").row(4, named=True)
    others = mrp(frame, "score", POPULATION, "city").head(4)
    assert found["n"] == 0 and "没有人说话" in found["note"] and found["std_error"] > 2 * others["std_error"].max() and others["estimate"].min() < found["estimate"] < others["estimate"].max()
    with pytest.raises(WeightingError, match="「city」的「4」"):
        dr(frame, "score", POPULATION)
    left_out = dr(frame, "score", POPULATION, on_silent="exclude").row(0, named=True)
    assert "不代表没有人说话的 city=4" in left_out["note"]
    assert left_out["estimate"] == pytest.approx(dr(frame, "score", POPULATION.filter(pl.col("city") != 4))["estimate"].item(), rel=1e-9)
    assert dr(frame, "score", POPULATION, "city", on_silent="collapse")["estimate"].null_count() == 1


def test_one_person_says_nothing_of_how_far_people_differ():
    population, frame = pl.DataFrame({"city": ["甲", "乙"], "count": [4, 6]}), pl.DataFrame({"city": ["甲"], "score": [3.0]})
    assert mrp(frame, "score", population).select("estimate", "std_error").row(0) == (pytest.approx(3), None)
    weighted = frame.with_columns(pl.lit(10.0).alias("weight"))
    assert dr(frame, "score", population, outcome="linear", weighted=weighted)["std_error"].item() is None


def test_one_alone_in_a_level_is_as_uncertain_as_others_and_that_is_said():
    frame = pl.DataFrame({"city": ["甲"] * 6 + ["乙"], "score": [1.0, 2, 3, 4, 5, 6, 9]})
    found = dr(frame, "score", pl.DataFrame({"city": ["甲", "乙"], "count": [30, 30]}), outcome="linear").row(0, named=True)
    assert "1 位是自己那一层里唯一说话的人" in found["note"] and found["std_error"] > 0.5  # his half of all hangs on one


def test_populations_of_continuous_columns_only():
    lots = np.random.default_rng(6)
    x = lots.normal(size=(800, 2))
    y = 200 + x @ [20, 10] + lots.normal(size=800)
    everybody = pl.DataFrame({"a": x[:, 0], "b": x[:, 1]})
    speaks = lots.random(800) < 1 / (1 + np.exp(x[:, 0]))
    frame = everybody.with_columns(pl.Series("y", y)).filter(speaks)
    found = dr(frame, "y", everybody).row(0, named=True)
    assert found["conf_low"] <= y.mean() <= found["conf_high"] and abs(found["estimate"] - y.mean()) < 0.2 < 5 < abs(frame["y"].mean() - y.mean())


def test_the_range_holds_where_people_of_some_cells_differ_more():
    # the quiet city is rarely heard and at odds with itself, the loud one agrees: one spread for both would promise 2.5 times too much
    lots, off, said = np.random.default_rng(4), [], []
    population = pl.DataFrame({"city": ["静", "闹"], "count": [50_000, 50_000]})
    for _ in range(60):
        quiet, loud = lots.choice([-100.0, 100.0], 60), lots.normal(0, 5, 600)
        found = mrp(pl.DataFrame({"city": ["静"] * 60 + ["闹"] * 600, "score": [*quiet, *loud]}), "score", population)
        off.append(found["estimate"].item())
        said.append(found["std_error"].item())
    assert np.mean(said) == pytest.approx(np.std(off), rel=0.3)


def test_planted_customers_come_back():
    """Sixty times who speaks is drawn anew: dr is far nearer than the plain mean and its intervals hold the truth; mrp is nearer than weights in small segments."""
    truth, parts = EVERYBODY["score"].mean(), EVERYBODY.group_by("visits").agg(pl.col("score").mean()).sort("visits")["score"].to_numpy()
    off, held, smooth_off, raked_off = [], 0, [], []
    for seed in range(100, 160):
        cells = cells_of(frame := speakers(seed), "score", POPULATION)
        weighted = weigh_cells(cells)[0]
        found = dr_cells(cells, weighted["weight"]).row(0, named=True)
        off.append((found["estimate"] - truth, frame["score"].mean() - truth))
        held += found["conf_low"] <= truth <= found["conf_high"]
        smooth_off.append(mrp_cells(cells, "visits")["estimate"].to_numpy() - parts)
        raked_off.append(mean_of_cells(weighted, "visits")["estimate"].to_numpy() - parts)
    ours, plain = np.sqrt((np.array(off) ** 2).mean(0))
    assert plain > 7 * ours and 53 <= held <= 60
    assert np.sqrt((np.array(smooth_off) ** 2).mean()) < 0.9 * np.sqrt((np.array(raked_off) ** 2).mean())


LINES = POPULATION.with_columns(pl.col("city").cast(pl.Float64))


@pytest.mark.parametrize(("ask", "said"), [
    (lambda frame: mrp(frame, "score", LINES), "格子只由分层的列组成.*city"),
    (lambda frame: mrp(frame, "score", {"plan": {"0": 6000}}), "总体的表"),
    (lambda frame: dr(frame, "score", {"plan": {"0": 6000}}), "总体的表.*calibrate"),
    (lambda frame: dr(frame, "score", LINES, outcome="mrp"), "「city」是小数.*outcome=.linear"),
    (lambda frame: dr(frame, "score", POPULATION, outcome="forest"), "outcome 没有「forest」"),
    (lambda frame: dr(frame, "score", POPULATION, weighting="cbps"), "weighting 没有「cbps」，可用：raking、ipw"),
    (lambda frame: dr(frame, "score", POPULATION, divide="n"), "divide 没有「n」"),
    (lambda frame: dr(frame, "scores", POPULATION), "列「scores」应是数"),
    (lambda frame: dr(frame, "score", POPULATION, "score"), "不能按它分组；现有：city、visits、plan"),
    (lambda frame: mrp(frame, "score", POPULATION, "score"), "不能按它分组"),
    (lambda frame: dr(frame.with_columns(pl.lit(None, pl.Float64).alias("score")), "score", POPULATION), "没有人回答"),
    (lambda frame: mrp(frame.with_columns(pl.lit(None, pl.Float64).alias("score")), "score", POPULATION), "没有人"),
    (lambda frame: mrp(frame.with_columns(pl.lit("9").alias("plan")), "score", POPULATION), "总体|边际"),
    (lambda frame: dr(frame.with_columns(pl.lit("9").alias("plan")), "score", POPULATION), "边际没有.*plan=9"),
    (lambda frame: dr(frame, "score", POPULATION, weighted=frame), "没有列「weight」"),
    (lambda frame: dr(frame, "score", POPULATION, weighted=frame.with_columns(pl.lit(None, pl.Float64).alias("weight"))), "权重"),
    (lambda frame: mrp(pl.concat([frame] * 40), "score", POPULATION), "总体"),
    (lambda frame: dr_cells(cells_of(frame, "score", POPULATION).with_columns(pl.lit(10**6).alias("n")), [1.0] * POPULATION.height), "比总体还多")])
def test_what_cannot_be_answered_is_said(ask, said):
    with pytest.raises(WeightingError, match=said):
        ask(speakers())


def test_one_kind_of_customer_is_a_plain_mean():
    frame, everyone = pl.DataFrame({"city": ["甲"] * 5, "score": [1, 2, 3, 4, 5]}), pl.DataFrame({"city": ["甲"], "count": [50]})
    robust, smoothed = dr(frame, "score", everyone).row(0, named=True), mrp(frame, "score", everyone).row(0, named=True)
    assert robust["estimate"] == pytest.approx(3) == smoothed["estimate"]
    assert robust["std_error"] == pytest.approx(np.sqrt(2.5 / 5 * (1 - 5 / 50)), rel=0.3)  # a draw of five of fifty, by leaving one out


def test_the_weighted_mean_about_everybody_is_the_robust_figure():
    lots = np.random.default_rng(8)
    everyone = pl.DataFrame({"city": lots.choice(["甲", "乙", "丙"], 900), "age": lots.integers(0, 3, 900)})
    frame = everyone.filter(pl.Series(lots.random(900)) < 0.1 + 0.1 * (pl.col("city") == "乙") * (pl.col("age") > 0)).with_columns((5 + pl.col("age") - 2 * (pl.col("city") == "乙")).cast(pl.Float64).alias("score"))
    frame = frame.with_columns(pl.col("score") + pl.Series(lots.normal(0, 1, frame.height)))
    weighted = calibrate(frame, everyone)
    around = about_everybody(weighted, "score", cells_of(frame, "score", everyone))
    assert (weighted["weight"] * around).sum() / weighted["weight"].sum() == pytest.approx(dr(frame, "score", everyone)["estimate"].item(), rel=1e-9)
    assert around.std() < weighted["score"].std()  # what the model knows cannot be tilted
