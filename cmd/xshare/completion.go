package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// addCompletion adds cobra's command that writes completions, and has it refuse
// shells that it does not know.
func addCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		if cmd.Name() != "completion" {
			continue
		}
		cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			var shells []string
			for _, shell := range cmd.Commands() {
				shells = append(shells, shell.Name())
			}
			return fmt.Errorf("there is no completion for %q: use %s", args[0], strings.Join(shells, " or "))
		}
	}
}
