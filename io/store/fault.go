package store

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	"github.com/cenkalti/backoff/v5"
	"gocloud.dev/gcerrors"
	"google.golang.org/api/googleapi"
)

// errStalled is the cause of an attempt that is given up because no bytes move.
var errStalled = errors.New("nothing moved for too long")

// errChanged is the cause when the temporary file is not any more what was written.
var errChanged = errors.New("the temporary file changed while it was being sent; run it again, with TMPDIR on a disk that nothing cleans up meanwhile")

// retry repeats an operation while its faults are passing ones. A bucket that has never answered is given up soon, since
// then the URL is more likely wrong than the network; later on a restart of the server or a minute without network is
// waited for. The clients below repeat single requests on top of that, a few times and faster.
func retry[T any](ctx context.Context, b *Bucket, op func(context.Context) (T, error)) (T, error) {
	tries := b.tries
	if !b.answered.Load() {
		tries = min(tries, 2)
	}
	wait := &backoff.ExponentialBackOff{InitialInterval: b.wait, RandomizationFactor: 0.5, Multiplier: 2, MaxInterval: 15 * time.Second}
	v, err := backoff.Retry(ctx, func() (T, error) {
		v, err := op(ctx)
		switch {
		case err == nil || answered(err):
			b.answered.Store(true)
		case ctx.Err() != nil:
			return v, backoff.Permanent(context.Cause(ctx))
		}
		if err != nil && !passing(err) {
			return v, backoff.Permanent(err)
		}
		return v, err
	}, backoff.WithBackOff(wait), backoff.WithMaxTries(tries), backoff.WithMaxElapsedTime(0),
		backoff.WithNotify(func(err error, wait time.Duration) {
			b.retries.Add(1)
			if b.notify != nil {
				b.notify(explained(err), wait)
			}
		}))
	var permanent *backoff.PermanentError
	if errors.As(err, &permanent) {
		err = permanent.Unwrap()
	}
	return v, err
}

// brief is retry for requests that move few bytes, each of which has a minute at most.
func brief[T any](ctx context.Context, b *Bucket, op func(context.Context) (T, error)) (T, error) {
	return retry(ctx, b, func(ctx context.Context) (T, error) {
		ctx, cancel := context.WithTimeoutCause(ctx, min(b.idle, time.Minute), errStalled)
		defer cancel()
		v, err := op(ctx)
		if err != nil && context.Cause(ctx) == errStalled {
			err = errStalled
		}
		return v, err
	})
}

// reply is what the server said about a request: its HTTP status and its own code and words. The status is 0 when the
// fault came before an answer did.
func reply(err error) (status int, code, words string) {
	var aws *awshttp.ResponseError
	if errors.As(err, &aws) {
		status = aws.HTTPStatusCode()
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		code, words = api.ErrorCode(), api.ErrorMessage()
	}
	var google *googleapi.Error
	if errors.As(err, &google) {
		status, words = google.Code, google.Message
	}
	var azure *azcore.ResponseError
	if errors.As(err, &azure) {
		status, code = azure.StatusCode, azure.ErrorCode
	}
	return status, code, words
}

func answered(err error) bool {
	status, code, _ := reply(err)
	return status > 0 || code != ""
}

// passing says whether an error may be gone a little later.
func passing(err error) bool {
	status, code, _ := reply(err)
	switch code {
	case "InternalError", "SlowDown", "RequestTimeout", "ServiceUnavailable", "OperationAborted",
		"ConditionalRequestConflict",                                                // another create-only PUT of the same name is under way
		"NoSuchUpload",                                                              // a multipart upload that was finished by a request whose answer got lost, or swept away
		"IncompleteBody", "BadDigest", "XAmzContentChecksumMismatch", "InvalidPart": // bytes lost on the way
		return true
	}
	switch {
	case status == 408 || status == 429 || status >= 500 && status != 501:
		return true
	case status >= 300 || code != "":
		return false
	}
	switch gcerrors.Code(err) {
	case gcerrors.NotFound, gcerrors.FailedPrecondition, gcerrors.PermissionDenied, gcerrors.InvalidArgument, gcerrors.Unimplemented:
		return false
	}
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	return !errors.Is(err, errChanged) && !errors.As(err, &certificate) && !errors.As(err, &record) && !strings.Contains(err.Error(), "HTTP response to HTTPS client")
}

// denied says whether the server refuses the user. Google's driver says NotFound then, so its status counts.
func denied(err error) bool {
	status, code, _ := reply(err)
	return status == 401 || status == 403 || code == "AccessDenied" || code == "InvalidAccessKeyId" || code == "SignatureDoesNotMatch"
}

func notFound(err error) bool {
	return gcerrors.Code(err) == gcerrors.NotFound && !denied(err) && !moved(err)
}

// moved says whether the bucket is in another region; S3's driver says NotFound then.
func moved(err error) bool {
	status, code, _ := reply(err)
	return status == 301 || status == 307 || code == "PermanentRedirect" || code == "AuthorizationHeaderMalformed"
}

// taken says whether a create-only PUT found another object.
func taken(err error) bool {
	return gcerrors.Code(err) == gcerrors.FailedPrecondition
}

// explain is one line on what went wrong and what to do, with nothing in it that could be secret.
func explain(err error) string {
	status, code, words := reply(err)
	text := strings.TrimSpace(strings.Join([]string{code, words}, " "))
	if status > 0 {
		text = strings.TrimSpace(fmt.Sprintf("HTTP %d %s", status, text))
	}
	if text == "" {
		text = lastWords(err)
	}
	text = redact(text)
	all := err.Error()
	var certificate *tls.CertificateVerificationError
	var op *net.OpError
	var dns *net.DNSError
	switch {
	case code == "NoSuchBucket" || code == "ContainerNotFound":
		return "there is no such bucket (" + text + "); make it first, or correct its name"
	case code == "InvalidAccessKeyId" || code == "SignatureDoesNotMatch" || code == "AuthenticationFailed" || status == 401:
		return "the server does not accept the credentials (" + text + "); check those in the environment (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, AZURE_STORAGE_KEY ...)"
	case strings.HasPrefix(code, "Expired") || code == "InvalidToken" || code == "RequestTimeTooSkewed":
		return "the credentials are not valid at this time (" + text + "); log in again, and check the clock of this machine"
	case denied(err):
		return "access is denied (" + text + "); the credentials need the right to read, write, list and delete objects there"
	case moved(err):
		return "the bucket is in another region (" + text + "); write ?region=NAME of the right one"
	case status == 501 || code == "NotImplemented":
		return "the server lacks something that is needed (" + text + "): if it has no conditional PUT (If-None-Match: *), by which one of several writers wins, use another one; if it does not know checksums, write ?request_checksum_calculation=when_required"
	case strings.Contains(all, "get credentials") || strings.Contains(all, "refresh cached credentials") || strings.Contains(all, "DefaultAzureCredential"):
		return "no credentials were found (" + text + "); set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, AZURE_STORAGE_KEY or log in with the cloud's own tool"
	case errors.As(err, &certificate):
		return "the server's certificate is not trusted (" + text + "); add its authority to the system's, or to AWS_CA_BUNDLE"
	case strings.Contains(all, "HTTP response to HTTPS client"):
		return "the server speaks HTTP, not HTTPS; write endpoint=http://..."
	case errors.As(err, &dns):
		return "the server's name is not known (" + text + "); check the endpoint, the region and the network"
	case errors.As(err, &op) || errors.Is(err, errStalled):
		return "the server does not answer (" + text + "); check the endpoint and the network, then run it again"
	}
	return text
}

// lastWords are those of the innermost error that says more than an operation's name.
func lastWords(err error) string {
	var op *net.OpError
	var ue *url.Error
	switch {
	case errors.As(err, &op):
		return op.Error()
	case errors.As(err, &ue):
		return ue.Err.Error()
	}
	return strings.Join(strings.Fields(err.Error()), " ")
}

var (
	urlQuery    = regexp.MustCompile(`([a-z0-9]+://[^\s"?]*\?)[^\s"]*`)
	urlUser     = regexp.MustCompile(`([a-z0-9]+://)[^/?\s"]*@`)
	nestedQuery = regexp.MustCompile(`(?i)(sig|signature|token|secret|password|key)=[^&\s"]+`)
)

// redact takes out of a text what may be secret in the URLs in it: user names, passwords and everything behind question
// marks, where signatures and SAS tokens are.
func redact(text string) string {
	text = urlQuery.ReplaceAllString(text, "${1}...")
	text = urlUser.ReplaceAllString(text, "${1}...@")
	return nestedQuery.ReplaceAllString(text, "$1=...")
}

// A fault is an error whose words are those of explain. What caused it can be asked for with errors.As.
type fault struct {
	text  string
	cause error
}

func (f *fault) Error() string { return f.text }
func (f *fault) Unwrap() error { return f.cause }

// explained makes an error of the clients below one to show.
func explained(err error) error {
	if err == nil || errors.Is(err, context.Canceled) && !answered(err) || errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, errStalled) && !answered(err) {
		return err
	}
	return &fault{explain(err), err}
}
