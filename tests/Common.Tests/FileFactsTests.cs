using System.IO.Pipes;
using SafeLlama.Testing;

namespace SafeLlama.Common.Tests;

public sealed class FileFactsTests
{
    [Test]
    public void The_length_of_a_link_is_that_of_its_file_as_in_a_hub_cache()
    {
        var hub = TestFiles.NewFolder();
        Directory.CreateDirectory(Path.Combine(hub, "blobs"));
        var snapshot = Directory.CreateDirectory(Path.Combine(hub, "snapshots", "1f4a")).FullName;
        File.WriteAllBytes(Path.Combine(hub, "blobs", "9c2e"), new byte[12_345]);
        File.CreateSymbolicLink(Path.Combine(snapshot, "model.safetensors"), "../../blobs/9c2e");
        var shorter = Path.Combine(hub, "model");
        Directory.CreateSymbolicLink(shorter, snapshot);
        Assert.Multiple(() =>
        {
            Assert.That(FileFacts.Length(Path.Combine(snapshot, "model.safetensors")), Is.EqualTo(12_345));
            Assert.That(FileFacts.Length(Path.Combine(shorter, "model.safetensors")), Is.EqualTo(12_345));
            Assert.That(
                FileFacts.RealPath(Path.Combine(shorter, "model.safetensors")),
                Is.EqualTo(FileFacts.RealPath(Path.Combine(hub, "blobs", "9c2e"))));
        });
    }

    [Test]
    [Platform("Linux")]
    public void A_pipe_has_no_length_and_says_so()
    {
        using var pipe = new AnonymousPipeServerStream(PipeDirection.Out);
        var path = $"/proc/self/fd/{pipe.SafePipeHandle.DangerousGetHandle()}";
        Assert.That(
            () => FileFacts.Length(path),
            Throws.InstanceOf<IOException>().With.Message.Contains("pipe or a device"));
    }

    [Test]
    public void Links_in_circles_are_refused()
    {
        var folder = TestFiles.NewFolder();
        File.CreateSymbolicLink(Path.Combine(folder, "a"), "b");
        File.CreateSymbolicLink(Path.Combine(folder, "b"), "a");
        Assert.Throws<IOException>(() => FileFacts.RealPath(Path.Combine(folder, "a")));
    }

    [Test]
    public void A_file_written_through_a_link_leaves_the_link()
    {
        var folder = TestFiles.NewFolder();
        var (file, link) = (Path.Combine(folder, "file"), Path.Combine(folder, "link"));
        File.WriteAllText(file, "old");
        File.CreateSymbolicLink(link, "file");
        OutputFile.WriteText(link, "new");
        Assert.That((File.ReadAllText(file), new FileInfo(link).LinkTarget), Is.EqualTo(("new", "file")));
    }
}
