# The loader as a CloudFormation stack that Terraform owns. How to use it: docs/terraform.md.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "template" {
  description = "The file that sam package has written."
  type        = string
  default     = "../../.aws-sam/packaged.yaml"
}

variable "bucket" {
  description = "The bucket that sam package has uploaded the code to, in the stack's region."
  type        = string
}

variable "stack_name" {
  description = "The stack's name. The loader's database user and the dashboard are named after it."
  type        = string
  default     = "s3-redshift-loader"
}

variable "workgroup_name" {
  description = "The Redshift Serverless workgroup that the loader loads into."
  type        = string
}

variable "database_name" {
  description = "The database in the warehouse."
  type        = string
  default     = "dev"
}

variable "paused" {
  description = "true, false or auto: whether nothing loads automatically."
  type        = string
  default     = "auto"
}

variable "notify_email" {
  description = "Address for failed loads and rejected files; empty for none."
  type        = string
  default     = ""
}

variable "parameters" {
  description = "Further parameters of template.yaml, such as { BatchWindowSeconds = \"120\" }."
  type        = map(string)
  default     = {}
}

data "aws_s3_bucket" "artifacts" {
  bucket = var.bucket
}

data "aws_redshiftserverless_workgroup" "warehouse" {
  workgroup_name = var.workgroup_name
}

# The template is too large for template_body. Its key has its hash, so that a new template is a new URL, which updates
# the stack.
resource "aws_s3_object" "template" {
  bucket = data.aws_s3_bucket.artifacts.id
  key    = "${var.stack_name}/${filesha256(var.template)}.yaml"
  source = var.template

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_cloudformation_stack" "loader" {
  name         = var.stack_name
  template_url = "https://${data.aws_s3_bucket.artifacts.bucket_regional_domain_name}/${aws_s3_object.template.key}"
  # The roles have names; the template has the transform AWS::Serverless, which is a macro.
  capabilities = ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]

  parameters = merge({
    WorkgroupName = var.workgroup_name
    WorkgroupId   = data.aws_redshiftserverless_workgroup.warehouse.workgroup_id
    DatabaseName  = var.database_name
    Paused        = var.paused
    NotifyEmail   = var.notify_email
  }, var.parameters)
}

output "stack" {
  description = "The outputs of the stack: buckets, roles, queues, links."
  value       = aws_cloudformation_stack.loader.outputs
}
