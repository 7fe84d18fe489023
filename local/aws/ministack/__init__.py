"""Fixes the differences between MiniStack and AWS that matter to the loader, and makes it refuse what AWS refuses.

MiniStack 1.5.33 is used unchanged except for these differences. The evidence is a page of AWS's documentation, or a
recorded response of AWS: [recorded] is github.com/localstack/localstack at 8b9a79f0, tests/aws/services, and
docs/recorded.md replays its executions.

behaviour.py

- Its SQS event source delivers at most ten messages and ignores the batching window. AWS gathers up to BatchSize
  messages (10,000) for up to MaximumBatchingWindowInSeconds, so one upload of many files is one load:
  https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
- A number from a template parameter stays text: a MaximumConcurrency by !Ref stops the event source ("'>=' not
  supported"). CloudFormation converts it to a number.
- It sees that requests are plain HTTP, so a policy that denies everything but TLS denies all requests. Here 127.0.0.1
  stands for the TLS endpoints of AWS: aws:SecureTransport is true.
- It gives each function its own credentials. On AWS the functions of one role are one identity, which may read its
  own statements in the Redshift Data API, and one database user. Here the functions of a role share their credentials,
  and a file has their database user.
- An exception of a Python handler arrives as Runtime.HandlerError. AWS reports its class name, which a state
  machine's ErrorEquals matches: https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html
- A function whose process dies ends as Runtime.HandlerError. AWS says Runtime.ExitError:
  https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html
- An execution that is stopped inside a Map continues to the end of the Map, and retries what fails. On AWS no further
  state is entered, nothing is retried, and it stays ABORTED:
  https://docs.aws.amazon.com/step-functions/latest/apireference/API_StopExecution.html
- For speed only: it unpacks code and layers again for every process of a function, which then compiles them, half a
  second of each cold start. Here all processes share one copy; on AWS it is read-only.

alarms.py: CloudWatch; the list is there.

executions.py

- A payload has no limit. On AWS a state's input, output, task input or assigned value may have 262,144 bytes of UTF-8.
  The error is States.DataLimitExceeded, which States.ALL matches as [recorded] in
  stepfunctions/v2/error_handling/test_states_errors (the documentation says that it does not):
  https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
- The machine's TimeoutSeconds is ignored. On AWS the execution ends TIMED_OUT ([recorded]:
  stepfunctions/v2/timeouts/test_timeouts, test_global_timeout).
- A task that times out has a Cause. On AWS it has none ([recorded]: test_fixed_timeout_service_lambda).
- States.ALL matches States.Runtime. On AWS nothing catches it:
  https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
- An input that is not JSON runs as {}. On AWS it is refused: InvalidExecutionInput ([recorded]:
  stepfunctions/v2/test_sfn_api, test_invalid_start_execution_input).
- A second StartExecution of the same name is always refused. On AWS one with the same input gets the same
  response while the first is running ([recorded]: test_start_execution_idempotent):
  https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
- An execution's name may be anything. On AWS it has at most 80 characters, and some are refused: InvalidName (same
  page).
- A task with a resource in another partition runs. On AWS the execution fails with States.Runtime:
  https://github.com/aws-solutions-library-samples/accelerated-intelligent-document-processing-on-aws/pull/478
- DescribeExecution returns an output for a failed execution, and no redrive figures ([recorded]:
  stepfunctions/v2/base/test_base, test_state_fail).

concurrency.py

- It runs as many invocations at once as fit into half the memory at 21 MB each; our processes need three times that.
  AWS has a limit per account and throttles further invocations. Here it is 32, and no more processes are kept,
  including idle ones: https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
- A task whose function is throttled fails with Lambda.Unknown. On AWS it is Lambda.TooManyRequestsException, which
  Retry can name: https://docs.aws.amazon.com/step-functions/latest/dg/bp-lambda-serviceexception.html
- A throttled batch of an SQS event source returns when its messages are visible again, and counts as one more receive.
  AWS keeps trying until then: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html

definitions.py

- Any definition is accepted. On AWS CreateStateMachine, UpdateStateMachine and the stack refuse an
  invalid one: InvalidDefinition ([recorded]: test_create_delete_invalid_sm, test_sfn_api_validation):
  https://docs.aws.amazon.com/step-functions/latest/apireference/API_CreateStateMachine.html

keys.py

- A policy's * and ? do not match line breaks, and its pattern ends before the last one. On AWS they match any:
  https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
  A key may have any: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
- ListObjectVersions and ListMultipartUploads ignore EncodingType=url, and write characters that XML cannot hold:
  https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html

queues.py

- A malformed batchItemFailures counts as success. On AWS the whole batch fails ([recorded]:
  lambda_/event_source_mapping/test_lambda_integration_sqs, …_invalid_result_json_batch_fails):
  https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
- An event source may have a batch size over 10 without a window, and a queue whose visibility timeout is shorter than
  the function's timeout. AWS refuses both ([recorded]: the same file;
  https://github.com/winglang/wing/issues/1507).
- A queue's policy may have any content. AWS has limits for it, such as 7 actions per statement:
  https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-policies.html
  Assumed: it refuses a statement with more than one resource (https://github.com/remind101/stacker_blueprints/pull/71).

patterns.py

- A rule of a stack may have any event pattern, because stacks skip the checks; a wildcard may be of any complexity.
  AWS refuses two adjacent *, and wildcards that are "too complex" ([recorded]: events/test_events_patterns):
  https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html

resources.py

- A stack takes over what already exists: a schedule, a role, a dashboard with a fixed name. CloudFormation stops:
  https://github.com/aws/serverless-application-model/issues/3109,
  https://github.com/ACloudGuru/serverless-plugin-aws-alerts/issues/242
- A stack's resource may have any properties. CloudFormation checks them with the resource's schema: names and their
  length, numbers and their range, allowed values, unknown properties:
  https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html

- Limits that no schema has are not checked either. On AWS a function's variables have 4 KB, a role's inline policies
  10,240 characters, a managed policy 6,144, an alarm's expression 10 metrics; a dashboard's body is JSON with widgets:
  https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html,
  https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html,
  https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-limits.html,
  https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutDashboard.html

requests.py

- A request may have any values. AWS checks it with the service's model: lengths, patterns, ranges, allowed values:
  https://smithy.io/2.0/spec/constraint-traits.html
- Events may have any size. On AWS all entries of a request have 256 KB
  (https://github.com/awslabs/aws-service-catalog-puppet/issues/563):
  https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevent-size.html

notifications.py

- SNS sends no email and keeps nothing. On AWS subscribers by email receive each message. Here it is kept in a file:
  https://docs.aws.amazon.com/sns/latest/dg/sns-email-notifications.html

Remaining differences that the loader meets: an execution's history has fewer events than on AWS, redrive is not
supported, and ListExecutions has one page. See docs/recorded.md.
"""

from pathlib import Path


def fix(principals: Path, unpacked: Path, inbox: Path) -> None:
    """Applies all of it. Call it before ministack.app is imported."""
    # Only now: MiniStack reads its settings when it is imported.
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
