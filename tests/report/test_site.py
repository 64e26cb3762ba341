import json
import os
import shutil

import pytest

from voc_lib.report import site
from voc_lib.report.site import keep_failed, publish


@pytest.fixture
def pages(tmp_path):
    def made(text="一"):
        (tmp_path / "a.html").write_text(text, encoding="utf-8")
        return {"index": tmp_path / "a.html", "data_health": tmp_path / "a.html"}
    return made


def test_published_with_sorted_manifest_and_nothing_left_over(pages, tmp_path):
    target = tmp_path / "报 告" / "2020-W24"
    assert publish(pages(), {"week": "2020-W24", "commit": "abc"}, target) == target / "index.html"
    manifest = json.loads((target / "manifest.json").read_text(encoding="utf-8"))
    assert list(manifest) == ["commit", "pages", "week"] and set(manifest["pages"]) == {"index.html", "data_health.html"}
    assert os.listdir(target.parent) == ["2020-W24"] and os.stat(target).st_mode & 0o777 == 0o755


@pytest.mark.parametrize("exchange", [True, False])
def test_a_second_publishing_replaces_the_folder_whole(pages, tmp_path, monkeypatch, exchange):
    if not exchange:
        monkeypatch.setattr(site, "_exchanged", lambda one, other: False)
    target = tmp_path / "reports" / "2020-W24"
    publish(pages("一"), {}, target)
    publish({"index": pages("二")["index"]}, {}, target)
    assert sorted(os.listdir(target)) == ["index.html", "manifest.json"] and os.listdir(target.parent) == ["2020-W24"]
    assert (target / "index.html").read_text(encoding="utf-8") == "二"


@pytest.mark.parametrize("exchange", [True, False])
def test_what_people_put_into_the_folder_is_never_lost(pages, tmp_path, monkeypatch, exchange):
    if not exchange:
        monkeypatch.setattr(site, "_exchanged", lambda one, other: False)
    target = tmp_path / "reports" / "2020-W24"
    publish(pages("一"), {}, target)
    for name in ("notes.yaml", "notes.wang.yaml", "slides.html", "2020-W24.pdf"):
        (target / name).write_text(f"她的 {name}", encoding="utf-8")
    (target / "图").mkdir()
    (target / "图" / "一.png").write_text("x")
    for text in ("二", "三"):
        publish(pages(text), {}, target)
    assert sorted(os.listdir(target)) == ["data_health.html", "index.html", "manifest.json", "notes.wang.yaml", "notes.yaml", "slides.html", "图"]
    assert (target / "notes.yaml").read_text(encoding="utf-8") == "她的 notes.yaml" and (target / "图" / "一.png").exists()


def test_a_file_saved_while_the_folders_change_places_stays_and_the_older_is_kept_beside_it(pages, tmp_path, monkeypatch):
    target = tmp_path / "reports" / "2020-W24"
    publish(pages("一"), {}, target)
    (target / "notes.yaml").write_text("早", encoding="utf-8")
    swap = site._swap

    def saved_meanwhile(new, old):
        swap(new, old)
        (old / "notes.yaml").write_text("晚", encoding="utf-8")

    monkeypatch.setattr(site, "_swap", saved_meanwhile)
    publish(pages("二"), {}, target)
    assert (target / "notes.yaml").read_text(encoding="utf-8") == "晚" and (target / "notes.yaml.earlier").read_text(encoding="utf-8") == "早"


def test_notes_come_back_after_a_crash_right_after_the_exchange(pages, tmp_path):
    target = tmp_path / "reports" / "2020-W24"
    publish(pages("一"), {}, target)
    left = shutil.copytree(target, target.parent / ".2020-W24.new-x")
    (left / "notes.yaml").write_text("她的", encoding="utf-8")
    publish(pages("二"), {}, target)
    assert (target / "notes.yaml").read_text(encoding="utf-8") == "她的" and os.listdir(target.parent) == ["2020-W24"]


@pytest.mark.parametrize("broken", ["missing page", "rename"])
def test_a_failure_leaves_the_last_page(pages, tmp_path, monkeypatch, broken):
    target = tmp_path / "reports" / "2020-W24"
    publish(pages("一"), {}, target)
    new = pages("二")
    if broken == "rename":
        monkeypatch.setattr(site, "_exchanged", lambda one, other: False)
        monkeypatch.setattr(site.os, "rename", lambda *names: (_ for _ in ()).throw(OSError("disk")))
    else:
        new["data_health"] = tmp_path / "none.html"
    with pytest.raises(OSError):
        publish(new, {}, target)
    assert (target / "index.html").read_text(encoding="utf-8") == "一" and os.listdir(target.parent) == ["2020-W24"]


def test_after_a_crash_between_two_renames_the_old_pages_come_back(pages, tmp_path):
    target = tmp_path / "reports" / "2020-W24"
    publish(pages("一"), {}, target)
    crashed = target.parent / ".2020-W24.old-x"
    crashed.mkdir()
    shutil.move(target, crashed / "pages")
    with pytest.raises(OSError):
        publish({"index": tmp_path / "none.html"}, {}, target)
    assert (target / "index.html").read_text(encoding="utf-8") == "一" and os.listdir(target.parent) == ["2020-W24"]


def test_a_site_needs_an_index(pages, tmp_path):
    with pytest.raises(ValueError, match="没有 index：weekly"):
        publish({"weekly": pages()["index"]}, {}, tmp_path / "x")


def test_the_partial_notebook_is_kept(tmp_path):
    (tmp_path / "brief.ipynb").write_text("{}")
    kept = keep_failed(tmp_path / "brief.ipynb", tmp_path / "reports", "2020-W24")
    assert kept == tmp_path / "reports" / ".failed" / "2020-W24" / "brief.ipynb" and kept.read_text() == "{}"
