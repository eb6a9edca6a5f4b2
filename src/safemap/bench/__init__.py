"""safemap.bench: measures the maps on this machine, and tells which to take. `safemap bench --quick` runs it.

On safemap's public names alone. How it is built, each module on those before it:

    contestants   what is compared, and how to make a fresh one
    workloads     what the threads do, written down before any clock runs
    crew          threads that start together, fail loudly and are not waited for without end
    engine        one contestant on one workload in one window of time; the order of the windows
    wordindex     the job on real input
    statistics    from figures to ratios, noise and verdicts
    environment   what the figures were taken on
    results       what was planned and measured, sorted by the questions of the report
    verdicts      verdicts in words, and what has to be said with them
    report        tables and progress (needs rich, an extra)
    __main__      the command line
"""
