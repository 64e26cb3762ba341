"""The planted truths, one module each, found by file name: TITLE, DOMAIN, KEPT (leaves nobody else speaks of), `plant(stage, speaking)`.

A truth draws from streams of its own name only, so that leaving it out changes nothing else.
"""
