"""The library of the tests: a simulated AWS, a deployed copy of the product, and what the tables must hold. No tests.

The simulator: the product in one process
    simulator    the whole: handlers, state machine, S3, queue, schedule and local Redshift, with a clock of its own
    boundary     every call between functions and AWS: recorded, checked against policies, made to fail on request
    sandbox      Lambda's execution environments: a function with its own modules, variables and clients
    executions   Step Functions: executions of the state machine, and the operations that functions call
    uploads      the way from an upload to the trigger: S3's event, the rule, the queue, the event source
    warehouse    the local Redshift: a fresh copy for each world, failures of single SQL statements
    clock        the time, which passes only when something waits or calls
    template     template.yaml, resolved: functions, roles, policies, queue, state machine
    recordings   loads that are recorded, with every call and statement, and what must hold after each
    week         a week of operation, played in minutes
    scene        the real functions and state machine over a Redshift that answers what a test says

The state machine, which local/states interprets
    product      the product's own state machine and the names of its functions

The deployed stack
    deployed     a copy of the product on a local AWS of its own, and what a user does with it
    events       the events of uploads: received, sent again, in other batches

Data and figures
    files        small log and song files whose keys collide
    oracle       computes the star schema from files without the product's code
    counting     what AWS counts of a load, and what that costs
    histories    documents of loads, for the page of loads
    browser      a headless Chromium, for the page of loads
    machine      the machine that figures were measured on, and its load by other work
"""
