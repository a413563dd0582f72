using SafeLlama.Testing;

namespace SafeLlama.Common.Tests;

[NonParallelizable]
public sealed class OutputFileTests
{
    [Test]
    public void A_failed_write_leaves_the_old_file_and_no_other()
    {
        var folder = TestFiles.NewFolder();
        var path = Path.Combine(folder, "result.json");
        OutputFile.WriteText(path, "old");
        var error = Assert.Throws<SafeLlamaException>(() => OutputFile.Write(path, stream =>
        {
            stream.Write("half of the ne"u8);
            throw new IOException("No space left on device.");
        }))!;
        Assert.Multiple(() =>
        {
            Assert.That(error.Code, Is.EqualTo(ExitCode.Failure));
            Assert.That(error.Message, Does.Contain(path).And.Contain("No space left"));
            Assert.That(File.ReadAllText(path), Is.EqualTo("old"));
            Assert.That(Directory.GetFiles(folder), Has.Length.EqualTo(1));
        });
    }
}
