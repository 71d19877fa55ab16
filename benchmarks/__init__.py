"""Speed and memory, each figure beside a limit that was measured in the same run: `python -m benchmarks`.

What each figure means, and the latest ones: README.md beside this file.
"""
