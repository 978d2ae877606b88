package sandbox

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
)

// The kinds of injected faults.
const (
	faultThrottle     = "throttle"     // the service's own throttling error, before anything is done
	faultError        = "error"        // Code and Status, before anything is done
	faultLatency      = "latency"      // LatencyMillis before the call is done
	faultLostResponse = "lostResponse" // the call is done, then the connection is dropped
)

// Fault is a rule that makes matching calls go wrong. Empty fields match all.
// Calls are counted for each (account, service, operation, resource) by
// itself, so what happens to one never depends on the order of the others.
type Fault struct {
	Service   string `json:"service,omitempty"`
	Operation string `json:"operation,omitempty"`
	Account   string `json:"account,omitempty"` // the caller's

	Kind          string `json:"kind"` // throttle, error, latency or lostResponse
	Code          string `json:"code,omitempty"`
	Status        int    `json:"status,omitempty"` // 0 means 500
	Message       string `json:"message,omitempty"`
	LatencyMillis int    `json:"latencyMillis,omitempty"`

	Nth         int     `json:"nth,omitempty"`         // only the nth such call, from 1
	Count       int     `json:"count,omitempty"`       // only the first so many such calls
	Probability float64 `json:"probability,omitempty"` // 0 < p < 1: drawn from the hash; 0 means always
}

func (f *Fault) check() error {
	switch f.Kind {
	case faultThrottle, faultLostResponse:
	case faultError:
		if f.Code == "" {
			return fmt.Errorf("a fault of kind error needs a code, such as \"InternalFailure\"")
		}
	case faultLatency:
		if f.LatencyMillis <= 0 {
			return fmt.Errorf("a fault of kind latency needs latencyMillis above 0")
		}
	default:
		return fmt.Errorf("fault kind %q is not known: throttle, error, latency or lostResponse", f.Kind)
	}
	if f.Status != 0 && (f.Status < 400 || f.Status > 599) {
		return fmt.Errorf("fault status %d is no error status: take 400 to 599", f.Status)
	}
	if f.Probability < 0 || f.Probability > 1 || f.Nth < 0 || f.Count < 0 {
		return fmt.Errorf("fault nth and count must not be negative, and probability between 0 and 1")
	}
	return nil
}

// faults are the rules in force, with the counts of the calls they match.
type faults struct {
	rules []Fault
	calls map[string]int
}

// count is the how-manieth such call this is, for one purpose.
func (f *faults) count(purpose string, c *call) int {
	if f.calls == nil {
		f.calls = map[string]int{}
	}
	k := strings.Join([]string{purpose, c.caller.Account, c.service.name, c.operation, c.resource}, "\x00")
	f.calls[k]++
	return f.calls[k]
}

// next is the first rule that hits a call, or nil.
func (f *faults) next(s *Server, c *call) *Fault {
	var hit *Fault
	for i := range f.rules {
		r := &f.rules[i]
		if r.Service != "" && r.Service != c.service.name || r.Operation != "" && r.Operation != c.operation || r.Account != "" && r.Account != c.caller.Account {
			continue
		}
		n := f.count("rule "+strconv.Itoa(i), c)
		if r.Nth != 0 && n != r.Nth || r.Count != 0 && n > r.Count || hit != nil {
			continue
		}
		if r.Probability > 0 {
			d := s.digest("fault", strconv.Itoa(i), c.caller.Account, c.service.name, c.operation, c.resource, strconv.Itoa(n))
			if float64(binary.BigEndian.Uint64(d))/math.MaxUint64 >= r.Probability {
				continue
			}
		}
		hit = r
	}
	if hit == nil {
		return nil
	}
	c.fault = hit.Kind
	copied := *hit
	return &copied
}

// refuse is the error that a fault makes instead of the call, or nil.
func (f *Fault) refuse(c *call) error {
	if f == nil {
		return nil
	}
	switch f.Kind {
	case faultThrottle:
		e := c.service.throttled
		return &e
	case faultError:
		status := f.Status
		if status == 0 {
			status = http.StatusInternalServerError
		}
		message := f.Message
		if message == "" {
			message = "This error was injected by /_sandbox/faults."
		}
		return fault(status, f.Code, "%s", message)
	}
	return nil
}

// SetFaults puts rules in force in place of those before, and counts anew.
func (s *Server) SetFaults(rules []Fault) error {
	for i := range rules {
		if err := rules[i].check(); err != nil {
			return fmt.Errorf("sandbox: fault %d: %w", i+1, err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for k := range s.faults.calls {
		if strings.HasPrefix(k, "rule ") {
			delete(s.faults.calls, k)
		}
	}
	s.faults.rules = append([]Fault(nil), rules...)
	return nil
}

// serveFaults sets the rules by POST of a list, shows them by GET and clears
// them by DELETE.
func (s *Server) serveFaults(w http.ResponseWriter, r *http.Request) {
	var rules []Fault
	switch r.Method {
	case http.MethodGet:
		s.mu.Lock()
		rules = s.faults.rules
		s.mu.Unlock()
	case http.MethodPost:
		d := json.NewDecoder(r.Body)
		d.DisallowUnknownFields()
		err := d.Decode(&rules)
		if err == nil {
			err = s.SetFaults(rules)
		}
		if err != nil {
			answerJSON(w, http.StatusBadRequest, map[string]string{"error": err.Error() + `: the body is a list like [{"service": "iam", "kind": "throttle", "count": 2}]`})
			return
		}
	case http.MethodDelete:
		if err := s.SetFaults(nil); err != nil {
			answerJSON(w, http.StatusInternalServerError, map[string]string{"error": err.Error()})
			return
		}
	default:
		refuseMethod(w, "GET, POST, DELETE")
		return
	}
	if rules == nil {
		rules = []Fault{}
	}
	answerJSON(w, http.StatusOK, rules)
}
