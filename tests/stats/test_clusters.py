"""Clustered variance by hand, by brute force and against R survey."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from voc_lib.stats.clusters import kish_effective_n, linearised_variance, shared_covariance, two_way

API = Path(__file__).parents[3] / "shared" / "cases" / "weighting" / "api"
needs_api = pytest.mark.skipif(not API.exists(), reason="参照数据 ../shared/cases 不在")


def sums(values, weights, labels):
    """y and m per cluster, and the sums of their products."""
    names = sorted(set(labels))
    labels = np.array(labels)
    y = np.array([(values * weights)[labels == name].sum() for name in names])
    m = np.array([weights[labels == name].sum() for name in names])
    return (y * y).sum(), (y * m).sum(), (m * m).sum(), len(names)


def test_three_threads_by_hand():
    # threads (1, 1), (0, 0), (1, 0); mean 1/2; z = (y - m/2)/6 = 1/6, -1/6, 0; G/(G-1) = 3/2
    values, weights = np.array([1, 1, 0, 0, 1, 0.0]), np.ones(6)
    s_yy, s_ym, s_mm, clusters = sums(values, weights, list("aabbcc"))
    variance = linearised_variance(s_yy, s_ym, s_mm, 0.5, 6.0, clusters)
    assert variance == pytest.approx(1.5 * (1 / 36 + 1 / 36))


def test_two_way_keeps_the_persons_variance_where_a_thread_cannot_tell():
    assert two_way(2.0, np.nan, 1.0) == 2.0


def test_one_cluster_has_no_variance():
    assert np.isnan(linearised_variance(1.0, 1.0, 1.0, 0.5, 1.0, 1))


def test_covariance_with_itself_is_the_variance():
    values, weights = np.array([1, 0, 0, 1, 1.0]), np.array([1, 2, 1, 1, 3.0])
    s_yy, s_ym, s_mm, clusters = sums(values, weights, list("abcde"))
    mean, weight = (values * weights).sum() / 8, 8.0
    same = shared_covariance(s_yy, s_ym, s_ym, s_mm, (mean, mean), (weight, weight), (clusters, clusters))
    assert same == pytest.approx(linearised_variance(s_yy, s_ym, s_mm, mean, weight, clusters))


@needs_api
def test_cluster_sample_of_schools_as_r_svymean():
    expected = json.loads((API / "expected.json").read_text())["pub_dclus1"]
    with open(API / "apiclus1.csv", newline="") as file:
        schools = list(csv.DictReader(file))
    values = np.array([float(school["api00"]) for school in schools])
    s_yy, s_ym, s_mm, clusters = sums(values, np.ones(len(values)), [school["dnum"] for school in schools])
    mean = values.mean()
    assert mean == pytest.approx(expected["mean"]["api00"])
    variance = linearised_variance(s_yy, s_ym, s_mm, mean, float(len(values)), clusters)
    # R's design has a finite population of 757 districts; feedback has none.
    assert np.sqrt(variance * (1 - clusters / 757)) == pytest.approx(expected["se"]["api00"], rel=1e-8)


@needs_api
def test_kish_as_r():
    expected = json.loads((API / "expected.json").read_text())
    weights = np.array(expected["selfsel_rake3"]["weights"])
    ess = expected["selfsel_rake3_diag"]["ess"]
    assert kish_effective_n(weights.sum(), (weights**2).sum()) == pytest.approx(ess, rel=1e-6)
