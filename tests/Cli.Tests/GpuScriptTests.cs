using System.Diagnostics;
using SafeLlama.Testing;

namespace SafeLlama.Cli.Tests;

/// <summary>
/// The half of <c>benchmarks/gpu.sh</c> that wants a GPU, with stand-ins for the programs that it calls: what it
/// reaches, and what it makes of failures. Whether the programs themselves do well on a device, only a device can tell.
/// </summary>
internal sealed class GpuScriptTests
{
    private static readonly string[] Steps =
    [
        "safellama.dll doctor",
        "safellama.dll doctor --deep --device cuda",
        "safellama.dll doctor --deep --device cuda --json",
        "safellama.dll doctor --deep --device cuda:bf16",
        "safellama.dll doctor --deep --device cuda:bf16 --json",
        "SafeLlama.Kernels.Tests.dll --filter TestCategory=Cuda --output Detailed --no-progress",
        "SafeLlama.Model.Tests.dll --filter FullyQualifiedName~Parity --output Detailed --no-progress",
        "SafeLlama.Training.Tests.dll --filter FullyQualifiedName~Parity --output Detailed --no-progress",
        "compute-sanitizer --tool memcheck --error-exitcode 1",
        "compute-sanitizer --tool racecheck --error-exitcode 1",
        "SafeLlama.Benchmarks.dll device --device cuda --batch 8 --length 512",
        "SafeLlama.Benchmarks.dll device --device cuda:bf16 --batch 8 --length 512",
        "SafeLlama.Benchmarks.dll step --config llama-7b --device cuda:bf16 --dtype bf16 --batch 8 --length 512",
        "SafeLlama.Benchmarks.dll device --device cuda --batch 1 --length 2048",
        "SafeLlama.Benchmarks.dll device --device cuda:bf16 --batch 1 --length 2048",
        "SafeLlama.Benchmarks.dll step --config llama-7b --device cuda:bf16 --dtype bf16 --batch 1 --length 2048",
        "SafeLlama.Benchmarks.dll step --config llama-7b --mode decode --device cuda:bf16 --dtype bf16",
        "peer.py limits --batch 8 --length 512",
        "peer.py step --batch 8 --length 512",
        "peer.py step --batch 8 --length 512 --compile",
        "peer.py limits --batch 1 --length 2048",
        "peer.py step --batch 1 --length 2048",
        "peer.py step --batch 1 --length 2048 --compile",
    ];

    [SetUp]
    public void Only_where_there_is_a_shell()
    {
        if (!File.Exists("/bin/bash"))
        {
            Assert.Ignore("the script wants bash");
        }
    }

    [Test]
    public void Every_step_is_reached_in_order()
    {
        using var rehearsal = new Rehearsal(fails: "nothing");
        Assert.That(rehearsal.ExitCode, Is.Zero, rehearsal.Error);
        Assert.That(rehearsal.Calls, Has.Count.EqualTo(Steps.Length), string.Join("\n", rehearsal.Calls));
        foreach (var (call, step) in rehearsal.Calls.Zip(Steps))
        {
            Assert.That(call + " ", Does.StartWith(step + " "));
        }

        Assert.That(rehearsal.Result("README.md"), Does.Contain("# NVIDIA Stub, 1.0").And.Contain("Everything passed.")
            .And.Contain("ops-cuda-bf16-8x512.md"));
        Assert.That(rehearsal.Result("parity-model.txt"), Is.EqualTo("{}\n"));
        Assert.That(rehearsal.Result("steps.jsonl").Trim().Split('\n'), Has.Length.EqualTo(7));
    }

    [TestCase("SafeLlama.Model.Tests", "parity, Model")]
    [TestCase("--device cuda:bf16 --json", "doctor --deep, cuda:bf16")]
    [TestCase("racecheck", "compute-sanitizer racecheck")]
    [TestCase("--mode decode", "decode")]
    public void A_failure_stops_nothing_and_is_told_at_the_end(string fails, string told)
    {
        using var rehearsal = new Rehearsal(fails);
        Assert.That(rehearsal.ExitCode, Is.EqualTo(1));
        Assert.That(rehearsal.Calls, Has.Count.EqualTo(Steps.Length));
        Assert.That(rehearsal.Error.Trim().Split('\n')[^1], Is.EqualTo($"fell short: {told}"));
        Assert.That(rehearsal.Result("README.md"), Does.Contain($"- fell short: {told}\n")
            .And.Not.Contain("Everything passed."));
    }

    [Test]
    public void Without_a_driver_it_says_so_and_begins_nothing()
    {
        using var rehearsal = new Rehearsal(fails: "nvidia-smi");
        Assert.That(rehearsal.ExitCode, Is.EqualTo(1));
        Assert.That(rehearsal.Error, Does.Contain("nvidia-smi fails: no NVIDIA driver, or no device"));
        Assert.That(rehearsal.Calls, Is.Empty);
    }

    /// <summary>A folder as <c>publish</c> leaves it, whose programs only write down how they were called.</summary>
    private sealed class Rehearsal : IDisposable
    {
        private readonly string _folder = TestFiles.NewFolder();

        /// <param name="fails">What the command line of those programs contains that fail.</param>
        public Rehearsal(string fails)
        {
            var (bin, dotnet) = (Path.Combine(_folder, "bin"), Path.Combine(_folder, "out", "dotnet"));
            Program(Path.Combine(dotnet, "dotnet"), "$(basename $1) ${*:2}", fails);
            Program(Path.Combine(bin, "compute-sanitizer"), "compute-sanitizer $*", fails);
            Write(Path.Combine(bin, "nvidia-smi"), $"[ {fails} = nvidia-smi ] && exit 9\necho 'NVIDIA Stub, 1.0'\n");

            // "-c" asks whether PyTorch is there, "-" makes the table; else it is the peer.
            Program(Path.Combine(bin, "python3"), "$(basename $1) ${*:2}", fails, "case $1 in -c|-) exit 0;; esac");
            var start = new ProcessStartInfo("/bin/bash",
                [Path.Combine(TestFiles.Root, "benchmarks", "gpu.sh"), "run", Path.Combine(_folder, "out"), Results])
            {
                RedirectStandardError = true,
                RedirectStandardOutput = true,
            };
            start.Environment["PATH"] = $"{bin}:{Environment.GetEnvironmentVariable("PATH")}";
            using var process = Process.Start(start)!;
            var error = process.StandardError.ReadToEndAsync();
            process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            (ExitCode, Error) = (process.ExitCode, error.Result);
        }

        public int ExitCode { get; }

        public string Error { get; }

        /// <summary>The command lines, in order.</summary>
        public IReadOnlyList<string> Calls => File.Exists(Log) ? File.ReadAllLines(Log) : [];

        private string Results => Path.Combine(_folder, "results");

        private string Log => Path.Combine(_folder, "calls");

        public string Result(string name) => File.ReadAllText(Path.Combine(Results, name));

        public void Dispose() => Directory.Delete(_folder, recursive: true);

        private void Program(string path, string call, string fails, string first = "") => Write(
            path,
            $$"""
            {{first}}
            call="{{call}}"
            echo "$call" >>'{{Log}}'
            echo '{}'
            case "$call" in *'{{fails}}'*) exit 3;; esac

            """);

        private static void Write(string path, string text)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, "#!/bin/bash\n" + text);
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }
        }
    }
}
