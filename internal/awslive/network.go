package awslive

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"

	smithyhttp "github.com/aws/smithy-go/transport/http"
)

const credentialsMend = "give AWS credentials by the environment, a profile or the instance's role, and see that they have not expired"

// isWithoutCredentials reports whether a call could not be signed: there were no
// credentials to be had. That may be for an error of the network, on the way to
// whatever hands them out.
func isWithoutCredentials(err error) bool { return withoutCredentials(err) != "" }

// withoutCredentials is why there were none, in the SDK's words, by which alone
// it tells that; empty: that is not the error.
func withoutCredentials(err error) string {
	for ; err != nil; err = errors.Unwrap(err) {
		if why, ok := strings.CutPrefix(err.Error(), "get identity: "); ok {
			return strings.TrimPrefix(why, "get credentials: ")
		}
	}
	return ""
}

// isUnanswered reports whether a call was sent, or was to be, and no answer came.
func isUnanswered(err error) bool {
	var unsent *smithyhttp.RequestSendError
	return codeOf(err) == "" && errors.As(err, &unsent) && !isWithoutCredentials(err)
}

// networkMend says how to mend that a call got no answer.
func networkMend(err error) string {
	host, isOwn := "the endpoint", false
	if u, ok := errors.AsType[*url.Error](err); ok {
		if to, parseErr := url.Parse(u.URL); parseErr == nil {
			host, isOwn = to.Host, emulatorHost(u.URL) != ""
		}
	}
	way := "see that this machine reaches it, through HTTPS_PROXY where it must"
	if isOwn {
		way = "correct AWS_ENDPOINT_URL (or endpoint_url of the profile), which says to call it, or start what answers there"
	}
	op, _ := errors.AsType[*net.OpError](err)
	var timeout net.Error
	switch _, isDNS := errors.AsType[*net.DNSError](err); {
	case op != nil && op.Op == "proxyconnect":
		return "the proxy does not let calls to " + host + " through: correct HTTPS_PROXY, or name the host in NO_PROXY"
	case isDNS && isOwn:
		return "the name " + host + " is not known to DNS: " + way
	case isDNS:
		return "the name " + host + " is not known to DNS: see that the region is written right and that this machine's DNS knows AWS's names; behind a proxy, set HTTPS_PROXY"
	case isPlain(err):
		return host + " does not speak TLS: correct AWS_ENDPOINT_URL to http://, or HTTPS_PROXY"
	case isUntrusted(err):
		return "the certificate of " + host + " is not trusted: name its authority's file in AWS_CA_BUNDLE, as where a proxy opens TLS, and see that this machine's clock is right"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens at " + host + ": " + way
	case errors.As(err, &timeout) && timeout.Timeout():
		return host + " did not answer in time: " + way
	}
	return "the connection to " + host + " failed: " + way
}

// isPlain reports whether TLS was spoken to what does not know it.
func isPlain(err error) bool {
	_, isRecord := errors.AsType[tls.RecordHeaderError](err)
	return isRecord || errors.Is(err, http.ErrSchemeMismatch)
}

// isUntrusted reports whether a certificate was not taken.
func isUntrusted(err error) bool {
	_, ok := errors.AsType[*tls.CertificateVerificationError](err)
	return ok
}
