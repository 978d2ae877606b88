// Package sandbox is an embedded AWS: an http.Handler that the AWS SDKs, the
// aws CLI and Terraform talk to over AWS's own wire protocols. It serves STS,
// IAM, S3, KMS, EC2, Systems Manager's Run Command, Organizations, instance
// metadata and the Resource Groups Tagging API as far as sharing buckets needs
// them, keeps accounts apart, and authorizes every call with package iampolicy.
// What it does not know it refuses by name with a 501, never with a canned
// answer.
//
// # How a service is added
//
//   - Write a file with a function newX(*Server) *service that fills in the
//     fields of service (below), and add it to the list in New.
//   - Its state is plain, exported-field data in a struct of its own, a field
//     of world (state.go). It is saved as JSON.
//   - handle runs under the server's lock. It asks c.authorize(permission{…})
//     before it looks at or changes anything, and returns an answer or an
//     *apiError; service.fail words that error in the service's own shape.
//     Time is c.now, never time.Now; ids come from Server.uniqueID, never from
//     a random source.
//   - Calls named Get…, List…, Head… or Describe… are taken to leave the state
//     as it is; all others mark it as changed, so that it is saved.
//   - The query protocol's parameters, lists and XML are in query.go, JSON 1.1
//     is in json.go.
package sandbox

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/xshare/xshare/internal/iampolicy"
)

// Options say how a Server is made. The zero value is an empty sandbox in
// memory with the real clock.
type Options struct {
	// StatePath is the file that keeps the state between runs; empty keeps it
	// in memory only. A lock file beside it is held while the server runs.
	StatePath string
	// LockTimeout is how long New waits for another process's lock; 0 means 10 s.
	LockTimeout time.Duration
	// Journal gets one JSON line a call; nil for none.
	Journal io.Writer
	// Clock is the time that the sandbox starts from; nil means time.Now.
	// POST /_sandbox/clock moves the sandbox's time against it.
	Clock func() time.Time
	// Random is what all ids and probabilistic faults are derived from. The
	// same value and the same calls give the same ids.
	Random string
	// Partition is the first part of all ARNs; empty means "aws".
	Partition string
	// Seed is what is there from the start.
	Seed Seed
	// Propagation is how long what is new stays unseen.
	Propagation Propagation
}

// Server is the embedded AWS. Make one with New; it serves HTTP by itself
// (ServeHTTP) or on a listener of its own (Listen), and must be closed.
type Server struct {
	options  Options
	services map[string]*service
	controls map[string]http.HandlerFunc
	journal  journal

	mu           sync.Mutex // guards the next five, and is held while a call is handled
	world        *world
	faults       faults
	surroundings surroundings
	closing      []func() error                 // run by Close, last first
	documents    map[string]*iampolicy.Document // parsed, by text

	store   *store
	serving *http.Server
}

// New makes a server: it takes the state file's lock, reads the file and adds
// what the seed has and the state never had. It fails if the file is locked by
// another process for longer than LockTimeout, cannot be read, or the seed is
// not valid.
func New(o Options) (*Server, error) {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	o.Partition = cmp.Or(o.Partition, "aws")
	o.LockTimeout = cmp.Or(o.LockTimeout, 10*time.Second)
	s := &Server{options: o, journal: journal{w: o.Journal}, services: map[string]*service{}}
	for _, v := range []*service{newSTS(s), newIAM(s), newS3(s), newS3Control(s), newEC2(s), newTagging(s), newKMS(s), newOrganizations(s), newSSM(s)} {
		s.services[v.name] = v
	}
	// A key that ends in "/" takes all paths below it.
	s.controls = map[string]http.HandlerFunc{
		"":            s.serveIdentity,
		"clock":       s.serveClock,
		"context":     s.serveContext,
		"faults":      s.serveFaults,
		"propagation": s.servePropagation,
		"instances/":  newMetadata(s).serveAddress,
	}
	st, w, err := openStore(o.StatePath, o.LockTimeout)
	if err != nil {
		return nil, err
	}
	s.store, s.world = st, w
	s.forgetSessions()
	if err := s.seed(o.Seed); err != nil {
		return nil, errors.Join(fmt.Errorf("sandbox: seed: %w", err), st.close(nil))
	}
	st.start(s)
	return s, nil
}

// Listen serves on a TCP address, such as "127.0.0.1:0", until Close, and
// returns the endpoint's URL. A wildcard address is printed as 127.0.0.1.
func (s *Server) Listen(address string) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", address)
	if err != nil {
		return "", fmt.Errorf("sandbox: listen on %s: %w", address, err)
	}
	s.serving = &http.Server{Handler: s, ReadHeaderTimeout: 30 * time.Second}
	go func() { _ = s.serving.Serve(l) }() // ends when Close closes the listener
	return endpointOf(l), nil
}

// endpointOf is a listener's URL. It never says localhost: S3 clients would
// then put bucket names into the host name.
func endpointOf(l net.Listener) string {
	a, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return "http://" + l.Addr().String()
	}
	if a.IP.IsUnspecified() || a.IP.IsLoopback() {
		return fmt.Sprintf("http://127.0.0.1:%d", a.Port)
	}
	return "http://" + a.String()
}

// Close ends all listeners, saves the state and gives the lock back. It may be
// called once.
func (s *Server) Close() error {
	var errs []error
	if s.serving != nil {
		// Calls under way are short. A connection that a client dialled and
		// never used would be waited for much longer.
		ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
		defer cancel()
		if err := s.serving.Shutdown(ctx); err != nil {
			errs = append(errs, s.serving.Close())
		}
	}
	s.mu.Lock()
	closing := s.closing
	s.mu.Unlock()
	for i := len(closing) - 1; i >= 0; i-- {
		errs = append(errs, closing[i]())
	}
	return errors.Join(append(errs, s.store.close(s))...)
}

// A service is one AWS service: how its requests are read, done and answered.
type service struct {
	name   string   // as in the credential scope and the journal: "iam", "s3"
	serves []string // the operations that it does, sorted; docs/sandbox.md lists them
	// describe names the call from the request alone: the operation as AWS's
	// API reference has it (empty: unknown) and what it is about (for faults
	// and the journal; authorize replaces it by the ARN).
	describe func(*request) (operation, resource string)
	handle   func(*call) (*response, error)
	fail     func(*call, *apiError) *response
	// anonymous lets unsigned requests reach handle, with an anonymous caller.
	anonymous bool
	refusals
}

// refusals are one service's own words for what the core refuses.
type refusals struct {
	unsigned   apiError
	unknownKey apiError // also for a wrong session token
	badToken   apiError
	expired    apiError
	throttled  apiError
	denied     func(denial) *apiError
}

// request is a call as it came, with its body read.
type request struct {
	*http.Request
	body []byte
	// form has the parameters of a query protocol call, from URL and body;
	// of a call in another protocol, those of the URL.
	form       map[string][]string
	credential credential
	unreadable error // what is wrong with body or credential, if anything
}

// call is one request being handled.
type call struct {
	*request
	server    *Server
	service   *service
	caller    caller
	operation string
	now       time.Time
	requestID string

	// For the journal.
	resource string
	decision string
	fault    string
}

// response is an answer, held back until the state is unlocked.
type response struct {
	status int
	header http.Header
	body   []byte
}

// apiError is an error that a service answers with.
type apiError struct {
	status  int
	code    string
	message string
	detail  map[string]string // further elements, for services that have them
}

func (e *apiError) Error() string { return e.code + ": " + e.message }

func fault(status int, code, format string, args ...any) *apiError {
	return &apiError{status: status, code: code, message: fmt.Sprintf(format, args...)}
}

// notImplemented refuses by name what the sandbox does not know.
func notImplemented(format string, args ...any) *apiError {
	return fault(http.StatusNotImplemented, "NotImplemented", "the xshare sandbox does not know "+format, args...)
}

// maxBody is the size of the largest body taken; objects live in memory.
const maxBody = 256 << 20

// ServeHTTP handles one call.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// A signed call to such a path is S3's, about a key in a bucket named by the host.
	if name, ok := strings.CutPrefix(r.URL.Path, "/_sandbox"); ok && (name == "" || name[0] == '/') && r.Header.Get("Authorization") == "" {
		s.serveControl(w, r, strings.TrimPrefix(name, "/"))
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	req := &request{Request: r, body: body, form: parseForm(r, body)}
	req.credential, req.unreadable = parseCredential(r)
	if err != nil {
		req.unreadable = fault(http.StatusBadRequest, "EntityTooLarge", "the body cannot be read, or has more than the %d bytes that the xshare sandbox takes: %v", maxBody, err)
	}
	resp, drop := s.do(req, s.route(req))
	if drop {
		panic(http.ErrAbortHandler) // closes the connection without an answer
	}
	for k, v := range resp.header {
		w.Header()[k] = v
	}
	w.WriteHeader(resp.status)
	_, _ = io.Copy(w, bytes.NewReader(resp.body)) // the client may be gone; the call is done all the same
}

// route finds the service by the signature's credential scope; an unsigned
// request by its X-Amz-Target or its Action's Version, and without those it is
// S3's.
func (s *Server) route(r *request) *service {
	name := r.credential.service
	if r.credential.key == "" {
		name = "s3"
		switch at := r.Header.Get("X-Amz-Target"); {
		case at != "":
			prefix, _, _ := strings.Cut(at, ".")
			name = cmp.Or(map[string]string{taggingTarget: "tagging", kmsTarget: "kms", orgTarget: "organizations", ssmTarget: "ssm"}[prefix+"."], "unknown")
		case first(r.form["Action"]) != "":
			name = cmp.Or(map[string]string{stsVersion: "sts", iamVersion: "iam", ec2Version: "ec2"}[first(r.form["Version"])], "unknown")
		}
	}
	if name == "s3" && isS3Control(r.Request) { // its paths would be taken for buckets
		name = "s3control"
	}
	if v := s.services[name]; v != nil {
		return v
	}
	return unserved(name)
}

// do runs one call under the lock and journals it. drop says that the answer
// is to be lost.
func (s *Server) do(r *request, svc *service) (resp *response, drop bool) {
	c := &call{request: r, server: s, service: svc}
	c.operation, c.resource = svc.describe(r)

	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.identify(c)
	hit := s.faults.next(s, c)
	if hit != nil && hit.Kind == faultLatency {
		s.mu.Unlock()
		wait(r.Context(), time.Duration(hit.LatencyMillis)*time.Millisecond)
		s.mu.Lock()
		err = s.identify(c) // whoever calls may be gone by now
	}
	c.requestID = s.requestID(c)
	if err == nil {
		err = hit.refuse(c)
	}
	if err == nil {
		resp, err = svc.handle(c)
		if !readsOnly(c.operation) {
			s.store.touch()
		}
	}
	if err != nil {
		var e *apiError
		if !errors.As(err, &e) {
			e = fault(http.StatusInternalServerError, "InternalFailure", "%v", err)
		}
		resp = svc.fail(c, e)
	}
	s.journal.write(c, resp.status)
	return resp, hit != nil && hit.Kind == faultLostResponse
}

// readsOnly tells by its name whether an operation leaves the state alone.
func readsOnly(operation string) bool {
	for _, p := range []string{"Get", "List", "Head", "Describe"} {
		if strings.HasPrefix(operation, p) {
			return true
		}
	}
	return false
}

// wait returns after d, or when the client has gone.
func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}
