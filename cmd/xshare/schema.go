package main

import (
	"github.com/spf13/cobra"

	"github.com/xshare/xshare/specs"
)

func newSchemaCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the specs, for editors",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := a.streams.out.Write(specs.Schema())
			return err
		},
	}
}
