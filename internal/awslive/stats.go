package awslive

import (
	"encoding/json"
	"sync"
)

// Stats counts calls. It may be shared by several clients and be read while
// they work.
type Stats struct {
	mu        sync.Mutex
	calls     map[string]map[string]int
	total     int
	retried   int
	throttled int
}

// NewStats starts counting at nothing.
func NewStats() *Stats { return &Stats{calls: map[string]map[string]int{}} }

// StatsReport is what was counted: the content of --stats FILE.
type StatsReport struct {
	// Calls counts operations by account and "service:Operation". AssumeRole
	// counts under its target account; "unknown" are calls that failed before
	// their account was known.
	Calls     map[string]map[string]int `json:"calls"`
	Total     int                       `json:"total"`     // operations
	Retried   int                       `json:"retried"`   // further attempts at them
	Throttled int                       `json:"throttled"` // attempts that were answered by a throttling error
}

// Report returns a copy of the counts.
func (s *Stats) Report() StatsReport {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := StatsReport{Calls: map[string]map[string]int{}, Total: s.total, Retried: s.retried, Throttled: s.throttled}
	for account, operations := range s.calls {
		r.Calls[account] = map[string]int{}
		for name, n := range operations {
			r.Calls[account][name] = n
		}
	}
	return r
}

// MarshalJSON writes the report, with accounts and operations sorted.
func (s *Stats) MarshalJSON() ([]byte, error) { return json.Marshal(s.Report()) }

// again counts a further attempt at an operation that was counted already.
func (s *Stats) again(throttled int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.retried++
	s.throttled += throttled
}

// operation counts one operation that took so many attempts.
func (s *Stats) operation(account, name string, attempts, throttled int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.calls[account] == nil {
		s.calls[account] = map[string]int{}
	}
	s.calls[account][name]++
	s.total++
	s.retried += max(0, attempts-1)
	s.throttled += throttled
}
