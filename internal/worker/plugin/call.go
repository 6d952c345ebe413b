// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/render"
)

const service = "/plugin.ConfigManagementPluginService/"

// call is what one source asks of plugins: the archive is made when the first of them needs it.
type call struct {
	client  *Client
	in      render.Input
	env     []variable
	archive *archive
}

func (c *Client) call(in render.Input) *call { return &call{client: c, in: in} }

// close ends what prepare began.
func (c *call) close() {
	if c.archive != nil {
		c.archive.close()
		<-c.client.turns
	}
}

// folder names what is rendered, for errors.
func (c *call) folder() string { return "path " + quote(c.in.Source.Path) }

// prepare waits for a turn and makes the archive.
func (c *call) prepare(ctx context.Context) (err error) {
	if c.archive != nil {
		return nil
	}
	if c.env, err = environment(ctx, c.in); err != nil {
		return err
	}
	select {
	case c.client.turns <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if c.archive, err = pack(ctx, c.in.Tree, c.client.options); err != nil {
		<-c.client.turns
	}
	return err
}

// configuration asks how a plugin is set up; nothing is sent for that.
func (c *call) configuration(ctx context.Context, s socket) (configuration, error) {
	limit := limit{c.client.options.Timeout, ""}
	answer, err := c.ask(ctx, s, limit, func(ctx context.Context, conn *grpc.ClientConn) ([]byte, error) {
		var answer frame
		err := conn.Invoke(ctx, service+"CheckPluginConfiguration", &frame{}, &answer)
		return answer.data, err
	})
	if err != nil {
		return configuration{}, err
	}
	config, err := parseConfiguration(answer)
	return config, c.nonsense(s, err)
}

// match asks a plugin whether it wants the folder. That the command of its discovery rule ends with another status than 0
// is a no, by the documentation of spec.discover.find.command.
func (c *call) match(ctx context.Context, s socket) (bool, error) {
	answer, err := c.send(ctx, s, "MatchRepository")
	var failed *saidError
	if errors.As(err, &failed) && strings.Contains(failed.text, "error running find command") && strings.Contains(failed.text, "failed exit status ") {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	supported, err := parseMatch(answer)
	return supported, c.nonsense(s, err)
}

func (c *call) generate(ctx context.Context, s socket) ([]string, error) {
	answer, err := c.send(ctx, s, "GenerateManifest")
	if err != nil {
		return nil, err
	}
	// Documents may be empty, so there may be more of them than objects; but not without end.
	manifests, err := parseManifests(answer, 4*c.in.Limits.Objects+1000)
	if errors.Is(err, errTooMany) {
		return nil, c.tooMany(s)
	}
	return manifests, c.nonsense(s, err)
}

func (c *call) announcements(ctx context.Context, s socket) ([]Announcement, error) {
	answer, err := c.send(ctx, s, "GetParametersAnnouncement")
	if err != nil {
		return nil, err
	}
	out, err := parseAnnouncements(answer)
	return out, c.nonsense(s, err)
}

// send sends the repository and returns the answer.
func (c *call) send(ctx context.Context, s socket, method string) ([]byte, error) {
	if err := c.prepare(ctx); err != nil {
		return nil, err
	}
	dir, err := c.in.Folder(ctx)
	if err != nil {
		return nil, err
	}
	if dir == "" {
		dir = "."
	}
	begin := metadata{app: c.in.App, path: dir, checksum: c.archive.checksum, size: c.archive.size, env: c.env}
	limit := limit{c.in.Limits.Time, "bowline.render.timeout"}
	return c.ask(ctx, s, limit, func(ctx context.Context, conn *grpc.ClientConn) ([]byte, error) {
		stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true}, service+method)
		if err != nil {
			return nil, err
		}
		err = c.stream(stream, begin)
		if err != nil && !errors.Is(err, io.EOF) { // EOF: the answer says why the sidecar wants no more
			return nil, err
		}
		var answer frame
		err = stream.RecvMsg(&answer)
		return answer.data, err
	})
}

// chunkSize is how much of an archive goes into a message.
const chunkSize = 64 << 10

func (c *call) stream(stream grpc.ClientStream, begin metadata) error {
	if err := stream.SendMsg(&frame{begin.request()}); err != nil {
		return err
	}
	archive := io.NewSectionReader(c.archive.file, 0, c.archive.size)
	for chunk := make([]byte, chunkSize); ; {
		n, err := io.ReadFull(archive, chunk)
		if n > 0 {
			if err := stream.SendMsg(&frame{chunkRequest(chunk[:n])}); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return stream.CloseSend()
		}
		if err != nil {
			return fault.Wrap(fault.Retry, "read", "the archive for a plugin", err, "")
		}
	}
}

// limit is how long a sidecar may take, and the setting that says so.
type limit struct {
	time    time.Duration
	setting string
}

// ask connects to a plugin, has do ask it, and makes a fault of what went wrong.
func (c *call) ask(ctx context.Context, s socket, limit limit, do func(context.Context, *grpc.ClientConn) ([]byte, error)) ([]byte, error) {
	conn, err := grpc.NewClient("unix:"+s.path, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithNoProxy(),
		grpc.WithDisableServiceConfig(), grpc.WithAuthority("localhost"),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(frames{}), grpc.MaxCallRecvMsgSize(int(c.in.Limits.OutputBytes))))
	if err != nil {
		return nil, fault.Wrap(fault.Stalled, "reach", "plugin "+s.name, err, "check the path of its socket")
	}
	defer func() { _ = conn.Close() }()
	timed, cancel := context.WithTimeout(ctx, limit.time)
	defer cancel()
	c.client.options.Log.Debug("ask a plugin", "plugin", s.name, "application", c.in.App, "path", c.in.Source.Path)
	answer, err := do(timed, conn)
	if err == nil {
		return answer, nil
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return nil, c.failed(s, limit, err, isLate(timed))
}

// frame is a message as bytes.
type frame struct{ data []byte }

// frames is the codec: bytes as they are. They are read once the call is over, where an error is ours to word.
type frames struct{}

var errFrame = errors.New("not a frame")

func (frames) Marshal(v any) ([]byte, error) {
	f, ok := v.(*frame)
	if !ok {
		return nil, errFrame
	}
	return f.data, nil
}

func (frames) Unmarshal(data []byte, v any) error {
	f, ok := v.(*frame)
	if !ok {
		return errFrame
	}
	f.data = append([]byte(nil), data...)
	return nil
}

// Name is that of the encoding the bytes are in, which servers choose their codec by.
func (frames) Name() string { return "proto" }
