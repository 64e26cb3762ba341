"""客户之声工作台: every name a notebook may use, and nothing else.

Names are loaded when first used, so that `import voc_lib as voc` takes a moment and a page pays only for what it needs.
"""

from __future__ import annotations

import importlib

_NAMES = {
    "voc_lib.store": ["open_store"],
    "voc_lib.measure.feedback": ["feedback", "provenance", "undated", "weeks", "weeks_before"],
    "voc_lib.enrich.unmapped": ["unmapped_queue"],
    "voc_lib.enrich.labels": ["labels_given"],
    "voc_lib.measure.agreement": ["agreement", "disagreements"],
    "voc_lib.measure.estimate": ["estimate"],
    "voc_lib.measure.compare": ["compare"],
    "voc_lib.measure.metrics": ["metric", "metric_names"],
    "voc_lib.measure.sampling": ["draw_labels", "sample_verbatims"],
    "voc_lib.measure.analyses.baseline": ["match_baseline", "match_year"],
    "voc_lib.measure.analyses.movers": ["movers"],
    "voc_lib.measure.analyses.findings": ["findings"],
    "voc_lib.measure.analyses.follow_up": ["follow_up"],
    "voc_lib.measure.tracing": ["trace", "trace_codes", "trace_refused"],
    "voc_lib.measure.tracing_pages": ["trace_answered", "trace_cases", "trace_customer", "trace_explored", "trace_found", "trace_studio"],
    "voc_lib.respond.actions": ["actions", "actions_due"],
    "voc_lib.measure.analyses.channels": ["channel_overview"],
    "voc_lib.measure.analyses.health": ["channel_titles", "exports_read", "freshness", "quarantine_reasons", "status", "text_health"],
    "voc_lib.measure.analyses.removed": ["late", "removed"],
    "voc_lib.report.blocks": ["card", "cards", "headline", "lead", "note", "status_line", "verbatim_list"],
    "voc_lib.report.charts": ["chart_bars", "chart_channels", "chart_movers", "chart_trend"],
    "voc_lib.report.tables": ["table", "table_channels", "table_estimates"],
    "voc_lib.report.health": ["say_freshness", "say_quarantine", "table_exports", "table_freshness", "table_limits", "table_quarantine", "table_text_health"],
    "voc_lib.collect.customers": ["load_frame"],
    "voc_lib.collect.identity.report": ["doubts_now", "link_rates", "people_sizes", "reasons"],
    "voc_lib.report.links": ["say_links", "say_reasons", "table_doubts", "table_links"],
    "voc_lib.report.removed": ["say_late", "say_removed", "table_late", "table_removed"],
    "voc_lib.measure.bases": ["base_rates"],
    "voc_lib.measure.audited": ["audited_shares"],
    "voc_lib.measure.audited_codes": ["audited_mentions"],
    "voc_lib.measure.weighting.weights": ["calibrate", "poststratify"],
    "voc_lib.measure.weighting.propensity": ["ipw"],
    "voc_lib.measure.weighting.diagnostics": ["balance", "diagnose"],
    "voc_lib.measure.weighting.inference": ["kish", "weighted_mean", "weighted_nps", "weighted_ratio", "weighted_share", "weighted_total"],
    "voc_lib.measure.weighting.quantiles": ["bootstrap", "jackknife", "weighted_quantile"],
    "voc_lib.measure.weighting.outcomes": ["dr", "mrp"],
    "voc_lib.measure.weighting.sensitivity": ["sensitivity", "silent_mean", "tipping_odds"],
    "voc_lib.measure.weighting.changes": ["change_sensitivity"],
    "voc_lib.measure.weighting.benchmarks": ["covariate_benchmarks", "robustness_value"],
    "voc_lib.measure.weighting.unsolicited": ["odds_from_posts", "problem_floor"],
    "voc_lib.measure.weighting.smub": ["smub"],
    "voc_lib.measure.weighting.checks": ["check_correction"],
    "voc_lib.measure.weighting.channel_agreement": ["channel_agreement", "shared_covariance"],
    "voc_lib.measure.weighting.outreach": ["outreach_plan"],
    "voc_lib.measure.weighting.probe": ["probe_estimate", "probe_size"],
    "voc_lib.measure.analyses.silence": ["answer", "correction", "margins"],
    "voc_lib.measure.analyses.silence_checks": ["balance_now", "benchmarks", "channels_agree", "check_silence", "posted_odds", "robustness", "second_opinion", "silent_change", "silent_need", "silent_ranges", "tipping"],
    "voc_lib.measure.analyses.reach": ["probe", "reach"],
    "voc_lib.report.silence": ["cards_silence", "chart_answer", "chart_love", "say_answer", "say_overturn", "say_posted", "say_problems", "say_probe_needed", "say_robustness", "say_silent_change", "say_smub", "say_who", "say_who_speaks",
                               "table_answer", "table_diagnostics", "table_who"],
    "voc_lib.report.sensitivity": ["say_change_sensitivity", "say_odds_from_posts", "say_problem_floor", "say_sensitivity", "say_silent_mean", "say_tipping", "table_benchmarks", "table_sensitivity"],
    "voc_lib.report.checks": ["say_channel_agreement", "say_check", "say_verdict", "table_channel_agreement", "table_check"],
    "voc_lib.report.outreach": ["say_outreach", "say_probe", "say_probe_size", "table_moments", "table_outreach"],
    "voc_lib.measure.search": ["search_feedback", "weeks_until"],
    "voc_lib.measure.find": ["find"],
    "voc_lib.measure.similar": ["similar"],
    "voc_lib.measure.selections": ["asked_for", "remove_selection", "save_selection", "selections"],
    "voc_lib.measure.analyses.crosstab": ["crosstab"],
    "voc_lib.measure.analyses.channel_codes": ["channel_codes"],
    "voc_lib.measure.analyses.topics": ["explore"],
    "voc_lib.measure.analyses.topic_agreement": ["topic_agreement"],
    "voc_lib.measure.analyses.topic_weeks": ["as_codes", "model_changed", "topic_history", "topics_in_force", "with_topics"],
    "voc_lib.measure.analyses.new_topics": ["new_topics", "new_topics_note"],
    "voc_lib.measure.analyses.overlap_channels": ["overlap_channels"],
    "voc_lib.measure.levels": ["journey_levels"],
    "voc_lib.measure.analyses.journeys": ["case_steps", "cases", "posts_cases_people"],
    "voc_lib.measure.analyses.escalations": ["climbs", "stays", "time_to_next", "transitions"],
    "voc_lib.measure.analyses.emotion": ["journey", "mood_curve", "mood_turns", "moods"],
    "voc_lib.measure.analyses.effort": ["call_channels", "calls", "case_effort", "effort"],
    "voc_lib.measure.analyses.risk": ["risk", "risk_list"],
    "voc_lib.measure.analyses.customer": ["customer"],
    "voc_lib.report.actions": ["table_follow_up"],
    "voc_lib.report.findings": ["list_actions", "list_issues", "list_leftover", "list_movers", "show_anomaly"],
    "voc_lib.report.sources": ["list_sources", "say_sources"],
    "voc_lib.report.crosstab": ["say_crosstab", "table_crosstab"],
    "voc_lib.report.bases": ["chart_base_codes", "say_bases", "table_bases"],
    "voc_lib.report.browse": ["browse"],
    "voc_lib.report.channels": ["chart_channel_codes", "count_apart", "say_channel_codes", "say_overlap", "table_channel_codes", "table_overlap"],
    "voc_lib.report.customer": ["cards_customer", "say_customer", "table_cases", "table_facts", "table_owed", "table_roles", "table_timeline"],
    "voc_lib.report.effort": ["say_effort", "table_case_effort", "table_effort"],
    "voc_lib.report.journeys": ["chart_climbed", "chart_escalations", "count_climbed", "say_cases", "say_climbs", "say_posts_cases_people", "table_likely", "table_posts_cases_people", "table_times",
                                "table_top_cases", "table_transitions"],
    "voc_lib.report.moods": ["chart_moods", "say_turns", "turns_or_none"],
    "voc_lib.report.risk": ["say_risk", "table_calibration", "table_risk"],
    "voc_lib.report.guide": ["say_dates", "say_top_codes", "status_store", "table_notebooks"],
    "voc_lib.report.new_topics": ["say_new_topics", "table_new_topics"],
    "voc_lib.report.opinions": ["say_opinions", "table_opinions"],
    "voc_lib.report.search": ["bars_or_note", "cards_found", "quote_similar", "say_found", "say_ratings", "say_selection"],
    "voc_lib.report.studio": ["panel_codes", "panel_edits", "panel_synonyms"],
    "voc_lib.report.studio_labels": ["panel_labels", "panel_suggestions"],
    "voc_lib.report.studio_tables": ["cards_studio", "say_queue", "table_agreement", "table_disagreements", "table_edits"],
    "voc_lib.report.topic_ledger": ["chart_ledger_map", "chart_model_changed", "chart_systems", "count_told", "quote_changes", "say_ledger", "say_model_changed", "say_span",
                                    "status_ledger", "table_events", "table_model_changed"],
    "voc_lib.report.topics": ["chart_topic_map", "chart_topic_tree", "count_outside", "count_topics", "quote_topics", "say_topics", "status_topics", "table_topics"],
    "voc_lib.report.week": ["chart_weeks", "codes_moved", "count_moved", "status_week", "trend_or_note"],
    "voc_lib.report.sentences": ["say_change", "say_coverage", "say_movers", "say_silence", "say_undated", "say_year"],
}
_HOME = {name: module for module, names in _NAMES.items() for name in names}
__all__ = sorted(_HOME)


def __getattr__(name: str):
    if name not in _HOME:
        raise AttributeError(f"voc 没有「{name}」。可用：{'、'.join(__all__)}。")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
