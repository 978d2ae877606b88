package awslive

import (
	"errors"
	"net/http"
	"strings"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/xshare/xshare/executor"
)

// codeOf is AWS's error code; empty when AWS did not answer.
func codeOf(err error) string {
	var e smithy.APIError
	if errors.As(err, &e) {
		return e.ErrorCode()
	}
	return ""
}

// statusOf is the HTTP status of a failed call, 0 without an answer. HEAD has
// no body, so there the status is all that tells.
func statusOf(err error) int {
	var e *smithyhttp.ResponseError
	if errors.As(err, &e) && e.Response != nil && e.Response.Response != nil {
		return e.HTTPStatusCode()
	}
	return 0
}

func isCode(err error, codes ...string) bool {
	code := codeOf(err)
	for _, c := range codes {
		if code == c {
			return true
		}
	}
	return false
}

// isDenied reports whether AWS refused for want of permission.
func isDenied(err error) bool {
	return isCode(err, "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "Forbidden") || statusOf(err) == http.StatusForbidden && codeOf(err) == ""
}

// isUnseenProfile reports whether EC2 refused an instance profile that it does
// not know, or not yet.
func isUnseenProfile(err error) bool {
	var e smithy.APIError
	return errors.As(err, &e) && e.ErrorCode() == "InvalidParameterValue" &&
		strings.Contains(strings.ToLower(strings.ReplaceAll(e.ErrorMessage(), " ", "")), "instanceprofile")
}

// failed words a failed call. An error that is worded already stays as it is.
func (c *Client) failed(err error, account, region, resource, mend string) error {
	var worded *executor.APIError
	if err == nil || errors.As(err, &worded) {
		return err
	}
	e := &executor.APIError{Account: account, Region: region, Resource: resource, Mend: mend, Code: codeOf(err), Err: bare(err)}
	var op *smithy.OperationError
	if errors.As(err, &op) {
		e.Service, e.Operation = serviceName(op.Service()), op.Operation()
	}
	var id interface{ ServiceRequestID() string }
	if errors.As(err, &id) {
		e.RequestID = id.ServiceRequestID()
	}
	if e.Account == "" {
		e.Account = "the caller's account"
	}
	if e.Service == "iam" || e.Service == "sts" {
		e.Region = ""
	}
	return e
}

// failed words a failed call of this account, with the mend that its code asks
// for.
func (s *session) failed(err error, region, resource string) error {
	if err == nil {
		return nil
	}
	return s.client.failed(err, s.account.ID, region, resource, s.mend(err, resource))
}

// bareError shows AWS's own words, without the SDK's wrapping, and keeps the
// whole chain for errors.As.
type bareError struct{ err error }

func bare(err error) error { return bareError{err} }

func (e bareError) Error() string {
	var api smithy.APIError
	if !errors.As(e.err, &api) {
		if why := withoutCredentials(e.err); why != "" {
			return "no credentials: " + why
		}
		var unsent *smithyhttp.RequestSendError
		if errors.As(e.err, &unsent) {
			return "no answer: " + unsent.Err.Error()
		}
		var op *smithy.OperationError
		if errors.As(e.err, &op) {
			return op.Err.Error()
		}
		return e.err.Error()
	}
	if api.ErrorMessage() == "" {
		return api.ErrorCode()
	}
	return api.ErrorCode() + ": " + strings.TrimSuffix(api.ErrorMessage(), ".")
}

func (e bareError) Unwrap() error { return e.err }

// mend says how to mend what a code complains of; empty where AWS's words must do.
func (s *session) mend(err error, resource string) string {
	var op *smithy.OperationError
	operation := ""
	if errors.As(err, &op) {
		operation = serviceName(op.Service()) + ":" + op.Operation()
	}
	switch {
	case isDenied(err):
		return s.deniedMend(err, actionsOf(operation), resource)
	case isInvalidPrincipal(err):
		return principalMend(err)
	case isWithoutCredentials(err):
		return credentialsMend
	case isUnanswered(err):
		return networkMend(err)
	case isUnseenProfile(err):
		return "see that the instance profile exists and holds its role"
	}
	switch codeOf(err) {
	case "LimitExceeded", "LimitExceededException", "QuotaExceeded":
		return "a quota of the account is used up: remove what is not needed, or have it raised in Service Quotas"
	case "InstanceLimitExceeded", "VcpuLimitExceeded":
		return "have the account's EC2 quota raised, or end instances that are not needed"
	case "TooManyBuckets":
		return "have the account's bucket quota raised, or remove buckets that are not needed"
	case "OperationNotPermitted":
		return "if the instance is protected against termination, turn that off, or leave it"
	case "BucketAlreadyExists":
		return "bucket names are shared by all accounts: choose another"
	case "MethodNotAllowed":
		return "the bucket belongs to another account: correct `account:` of the share's bucket"
	case "NoSuchBucket":
		return "see that the bucket exists in account " + s.account.ID + ", or say `create: true`"
	case "MalformedPolicyDocument", "MalformedPolicy":
		return "correct what the policy names, or the file that it comes from"
	case "PermissionsBoundaryDoesNotExist":
		return "create the boundary policy first, or correct permissionsBoundary"
	case "InvalidSubnetID.NotFound", "InvalidGroup.NotFound", "InvalidKeyPair.NotFound", "InvalidAMIID.NotFound", "InvalidAMIID.Malformed":
		return "correct the instance in the spec: it has to name what exists in that account and region"
	case "VPCIdNotSpecified", "MissingInput":
		return "the account has no default VPC with a subnet in that region: name a `subnet` of it in the spec's instance"
	case "IllegalLocationConstraintException", "AuthorizationHeaderMalformed", "PermanentRedirect":
		return "the bucket is in another region: correct `region:` of the share's bucket"
	case "OptInRequired", "InvalidClientTokenId":
		return "see that the account is signed up, the region is enabled in it and the credentials are in force"
	}
	return ""
}
