using System.Diagnostics;
using System.Text.RegularExpressions;

namespace SafeLlama.Kernels.Tests;

/// <summary>
/// NVIDIA's assembler, where it is installed: what a kernel costs in registers and stack, known without a GPU.
/// </summary>
internal static partial class Ptxas
{
    /// <summary>From <c>SAFELLAMA_PTXAS</c> or the path; null where there is none.</summary>
    public static string? Path { get; } = Candidates().FirstOrDefault(File.Exists);

    /// <exception cref="AssertionException">It does not assemble.</exception>
    public static KernelCost Assemble(string ptx, string architecture)
    {
        var folder = Directory.CreateTempSubdirectory("safellama-ptx-").FullName;
        try
        {
            var source = System.IO.Path.Combine(folder, "kernel.ptx");
            File.WriteAllText(source, ptx);
            var start = new ProcessStartInfo(Path!, ["-v", $"-arch={architecture}", "-o", source + ".cubin", source])
            {
                RedirectStandardError = true,
                RedirectStandardOutput = true,
            };
            using var process = Process.Start(start)!;
            var error = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd() + error.Result;
            process.WaitForExit();
            Assert.That(process.ExitCode, Is.Zero, output);
            return new(
                Number(Registers(), output), Number(Stack(), output), Number(Spills(), output),
                Number(Shared(), output));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static IEnumerable<string> Candidates() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(System.IO.Path.PathSeparator)
        .Select(folder => System.IO.Path.Combine(folder, "ptxas"))
        .Prepend(Environment.GetEnvironmentVariable("SAFELLAMA_PTXAS") ?? "");

    private static int Number(Regex pattern, string output) =>
        pattern.Match(output) is { Success: true } match ? int.Parse(match.Groups[1].Value) : 0;

    [GeneratedRegex(@"Used (\d+) registers")]
    private static partial Regex Registers();

    [GeneratedRegex(@"(\d+) bytes stack frame")]
    private static partial Regex Stack();

    [GeneratedRegex(@"(\d+) bytes spill stores")]
    private static partial Regex Spills();

    [GeneratedRegex(@"(\d+) bytes smem")]
    private static partial Regex Shared();
}

/// <summary>What ptxas says of a kernel: registers a thread, the rest in bytes.</summary>
internal readonly record struct KernelCost(int Registers, int Stack, int Spills, int Shared);
