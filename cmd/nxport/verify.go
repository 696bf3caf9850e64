package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/nxport/nxport/internal/verify"
)

func verifyCommand() *cobra.Command {
	var script bool
	cmd := &cobra.Command{
		Use:   "verify --script",
		Short: "Print a PowerShell script that has Driver Verifier check a driver on Windows",
		Long: `verify --script prints a PowerShell script (5.1, which Windows has) for a Windows 10 or 11 test machine. There it turns on Driver
Verifier's code integrity checks for one driver (verifier /flags 0x02000000), loads the driver, runs what you give it, unloads
the driver, and turns the checks off again, whatever happens. The checks take effect at a restart, and a violation stops the
system with bug check 0xC4: the script says so and asks first. Run again after that, it prints for each violation the line

  nxport scan DRIVER.sys --at RVA

which names the place. It needs an elevated PowerShell, and a driver that this Windows loads (test signing: bcdedit /set
testsigning on). "Get-Help .\verify.ps1 -Full" says the rest. nxport itself runs nothing and needs no Windows.`,
		Example: `  nxport verify --script > verify.ps1
  .\verify.ps1 .\drv.sys -Exercise { .\drvtest.exe }     (on the test machine)`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if !script {
				return errors.New("verify: nothing is run here: --script prints the script that does it on a Windows test machine")
			}
			_, err := cmd.OutOrStdout().Write([]byte(verify.Script()))
			return err
		},
	}
	cmd.Flags().BoolVar(&script, "script", false, "print the script")
	return cmd
}
