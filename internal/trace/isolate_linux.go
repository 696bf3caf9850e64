package trace

import (
	"os"
	"os/exec"
	"syscall"
)

// isolate gives a command a network of its own, in which there is nothing; for that an ordinary user needs a user namespace, in
// which he stays who he is. Wine's programs talk to each other by way of files.
func isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: os.Getuid(), HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: os.Getgid(), HostID: os.Getgid(), Size: 1}},
	}
}

// canIsolate says whether the system allows that: containers and some distributions do not.
func canIsolate() bool {
	cmd := exec.Command("/bin/true")
	isolate(cmd)
	return cmd.Run() == nil
}
