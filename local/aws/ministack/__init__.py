"""Fixes where MiniStack differs from AWS in what the product relies on, and makes it refuse what AWS refuses.

MiniStack 1.5.33 is used as it is but for these differences. Evidence is a page of AWS's documentation, or what AWS
answered when somebody recorded it: [recorded] is github.com/localstack/localstack at 8b9a79f0, tests/aws/services, and
docs/recorded.md replays its executions.

behaviour.py

- Its SQS event source hands over ten messages at most and ignores the batching window. AWS gathers up to BatchSize
  messages (10,000) for up to MaximumBatchingWindowInSeconds, and one upload of many files is one load:
  https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
- A number of a template's parameter stays text: a MaximumConcurrency by !Ref stops the event source ("'>=' not
  supported"). CloudFormation makes a number of it.
- It counts plain HTTP as what it is, so a policy that denies what is not TLS denies everything. Here 127.0.0.1 stands
  for the TLS endpoints of AWS: aws:SecureTransport is true.
- It gives each function credentials of its own. On AWS those of one role are one identity, which is whose statements
  the Redshift Data API lets be looked at, and one database user. Here the functions of a role share their credentials,
  and a file says which database user they are.
- An exception of a Python handler arrives as Runtime.HandlerError. AWS gives its class name, which is what a state
  machine's ErrorEquals matches: https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html
- A function whose process dies ends as Runtime.HandlerError. AWS says Runtime.ExitError:
  https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html
- An execution that is stopped inside a Map goes on to the end of the Map, and retries what fails. On AWS no state is
  entered and nothing is retried any more, and it stays ABORTED:
  https://docs.aws.amazon.com/step-functions/latest/apireference/API_StopExecution.html
- And one that is about time only: it unpacks code and layers anew for every process of a function, which then compiles
  them, half a second of each cold start. Here all share one copy, as they may: on AWS it is read-only.

alarms.py: CloudWatch; the list stands there.

executions.py

- A payload has no limit. On AWS it is 262,144 bytes of UTF-8 for what a state takes, gives, passes to its task or
  assigns; States.DataLimitExceeded, which States.ALL takes as [recorded] in
  stepfunctions/v2/error_handling/test_states_errors (the documentation says that it does not):
  https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
- The machine's TimeoutSeconds is ignored. On AWS the execution ends TIMED_OUT ([recorded]:
  stepfunctions/v2/timeouts/test_timeouts, test_global_timeout).
- A task that times out has a Cause. On AWS it has none ([recorded]: test_fixed_timeout_service_lambda).
- States.ALL takes States.Runtime. On AWS nothing takes it:
  https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
- An input that is no JSON is run as {}. On AWS it is refused: InvalidExecutionInput ([recorded]:
  stepfunctions/v2/test_sfn_api, test_invalid_start_execution_input).
- A second StartExecution of the same name is always refused. On AWS one with the same input, while the first runs, is
  answered as the first was ([recorded]: test_start_execution_idempotent):
  https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
- An execution's name may be anything. On AWS it has 80 characters, and some are refused: InvalidName (same page).
- A task's resource of another partition runs. On AWS the execution fails with States.Runtime:
  https://github.com/aws-solutions-library-samples/accelerated-intelligent-document-processing-on-aws/pull/478
- DescribeExecution gives a failed execution an output, and no redrive figures ([recorded]:
  stepfunctions/v2/base/test_base, test_state_fail).

concurrency.py

- As many invocations run at once as fit into half the memory at 21 MB each, which a process of ours takes three times.
  AWS has a limit for the account and throttles what is over it. Here it is 32, and no more processes are kept, idle
  ones among them: https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
- A task whose function is throttled fails with Lambda.Unknown. On AWS it is Lambda.TooManyRequestsException, which a
  Retry names: https://docs.aws.amazon.com/step-functions/latest/dg/bp-lambda-serviceexception.html
- A batch of an SQS event source that is throttled comes back when its messages are visible again, one receive the more.
  AWS goes on trying until then: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html

definitions.py

- A definition is taken whatever it says. On AWS CreateStateMachine, UpdateStateMachine and the stack refuse a wrong
  one: InvalidDefinition ([recorded]: test_create_delete_invalid_sm, test_sfn_api_validation):
  https://docs.aws.amazon.com/step-functions/latest/apireference/API_CreateStateMachine.html

keys.py

- A policy's * and ? match no line break, and its pattern ends before the last one. On AWS they match any characters:
  https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
  A key may have any: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
- ListObjectVersions and ListMultipartUploads ignore EncodingType=url, and write characters that XML cannot hold:
  https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html

queues.py

- A malformed batchItemFailures is taken as success. On AWS the whole batch has failed ([recorded]:
  lambda_/event_source_mapping/test_lambda_integration_sqs, …_invalid_result_json_batch_fails):
  https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
- An event source may have a batch of over 10 and no window, and a queue whose messages come back before the function's
  time is over. AWS refuses both ([recorded]: the same file;
  https://github.com/winglang/wing/issues/1507).
- A queue's policy may say anything. AWS has limits for it, 7 actions a statement among them:
  https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-policies.html
  Assumed: it refuses a statement of more than one resource (https://github.com/remind101/stacker_blueprints/pull/71).

patterns.py

- A rule of a stack may have any event pattern, as its checks are not asked; a wildcard may be as complex as it likes.
  AWS refuses two * side by side, and what is "too complex" ([recorded]: events/test_events_patterns):
  https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html

resources.py

- A stack takes what exists already for its own: a schedule, a role, a dashboard of a fixed name. CloudFormation stops:
  https://github.com/aws/serverless-application-model/issues/3109,
  https://github.com/ACloudGuru/serverless-plugin-aws-alerts/issues/242
- A stack's resource may have any properties. CloudFormation checks them with the resource's schema: names and their
  length, numbers and their range, what may be chosen, what is not known:
  https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html

- Nor has it the limits that no schema says. On AWS a function's variables have 4 KB, a role's inline policies 10,240
  characters, a managed policy 6,144, an alarm's expression 10 metrics, and a dashboard's body is JSON with widgets:
  https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html,
  https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html,
  https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-limits.html,
  https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutDashboard.html

requests.py

- A request may have any values. AWS checks it with the service's model: lengths, patterns, ranges, what may be chosen:
  https://smithy.io/2.0/spec/constraint-traits.html

notifications.py

- SNS mails nobody and keeps nothing. On AWS who subscribes by email is mailed. Here each message is kept in a file:
  https://docs.aws.amazon.com/sns/latest/dg/sns-email-notifications.html

What still differs and the product meets: an execution's history has fewer events than on AWS, and redrive is not known;
ListExecutions has one page. docs/recorded.md says more.
"""

from pathlib import Path


def fix(principals: Path, unpacked: Path, inbox: Path) -> None:
    """All of it; before ministack.app is imported."""
    # Only now, for MiniStack reads its settings as it is imported.
    from local.aws.ministack import (
        alarms,
        behaviour,
        concurrency,
        definitions,
        executions,
        keys,
        notifications,
        patterns,
        queues,
        requests,
        resources,
    )

    behaviour.apply(principals, unpacked)
    concurrency.apply()
    executions.apply()
    definitions.apply()
    keys.apply()
    queues.apply()
    patterns.apply()
    requests.apply()
    resources.apply()
    alarms.apply()
    notifications.keep(inbox)
