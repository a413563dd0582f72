using System.Text.RegularExpressions;
using SafeLlama.Testing;

namespace SafeLlama.Kernels.Tests;

[Category("Docs")]
internal sealed partial class GpuPageTests
{
    [Test]
    public void The_page_shows_this_code() => DocSnippets.Check("gpu-kernels.md");

    [Test]
    public void A_device_is_opened_and_used_like_any_backend()
    {
        // docs:gpu-kernels:open
        using var backend = GpuBackend.OpenEmulated(
            DType.Float32, groupSize: 4);   // or GpuBackend.OpenCuda(DType.BFloat16)
        using var arena = new Arena(backend, "example");
        var (x, weight) = (arena.Take(new(1, 2), "x"), arena.Take(new(2), "weight"));
        var (y, rstd) = (arena.Take(new(1, 2), "y"), arena.Take(new(1), "rstd"));
        arena.Commit();                                         // one allocation on the device
        x.Write([3.0, 4.0]);
        weight.Write([1.0, 10.0]);
        backend.RmsNorm.Forward(x, weight, 0, y, rstd);         // queued: the host does not wait
        Assert.That(y.ReadDoubles(), Is.EqualTo(new[] { 0.8485, 11.3137 }).Within(1e-4));   // reading does
        // end
    }

    [Test]
    public void The_table_names_every_kernel()
    {
        var path = Path.Combine(TestFiles.Root, "docs", "gpu-kernels.md");
        if (!File.Exists(path))
        {
            Assert.Ignore("docs/ is not here");
        }

        var named = TableRow().Matches(File.ReadAllText(path)).Select(match => match.Groups[1].Value);
        var kernels = GpuKernelList.Open.Select(kernel => $"{kernel.DeclaringType!.Name}.{kernel.Name}");
        Assert.That(named, Is.EquivalentTo(kernels));
    }

    [GeneratedRegex(@"^\| `(\w+\.\w+Kernel)` \|", RegexOptions.Multiline)]
    private static partial Regex TableRow();
}
