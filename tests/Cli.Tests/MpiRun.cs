using System.Diagnostics;

namespace SafeLlama.Cli.Tests;

/// <summary>The built program under <c>mpirun</c>: a command for every rank.</summary>
internal sealed record MpiRun(int ExitCode, string Output, string Error)
{
    public const string Mpich = "mpich";

    public const string OpenMpi = "openmpi";

    /// <summary>Ranks that have not ended by then hang. A fault ends them within 10 seconds, and a busy machine may take
    /// many times as long.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    /// <summary>What the program says, without the launcher's own words.</summary>
    public string Told => string.Join('\n', Error.Split('\n').Where(line => line.StartsWith("safellama: ",
        StringComparison.Ordinal)));

    /// <summary>Skips the test where this MPI is not installed.</summary>
    public static void RequireInstalled(string mpi)
    {
        if (!File.Exists(Launcher(mpi)))
        {
            Assert.Ignore($"{Launcher(mpi)} is not installed (Debian: openmpi-bin, mpich).");
        }
    }

    /// <summary>The same command on every rank.</summary>
    public static MpiRun Of(string mpi, int ranks, params string[] arguments) =>
        Of(mpi, [], [.. Enumerable.Repeat(new Rank(arguments), ranks)]);

    /// <param name="options">The launcher's.</param>
    /// <param name="ranks">What each rank is told.</param>
    public static MpiRun Of(string mpi, string[] options, params Rank[] ranks)
    {
        RequireInstalled(mpi);
        string[] all = [.. options, .. mpi == OpenMpi ? ["--oversubscribe"] : Array.Empty<string>(),
            .. ranks.SelectMany((rank, i) => (string[])[.. i == 0 ? Array.Empty<string>() : [":"], "-n", "1",
                .. rank.Command])];
        var start = new ProcessStartInfo(Launcher(mpi), all)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        start.Environment.Remove("SAFELLAMA_DEBUG");
        foreach (var name in (string[])["OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"])
        {
            start.Environment[name] = "1";
        }

        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        if (!process.WaitForExit(Limit))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"the ranks did not end within {Limit}:\n{error.Result}");
        }

        process.WaitForExit();
        return new(process.ExitCode, output.Result, error.Result);
    }

    private static string Launcher(string mpi) => $"/usr/bin/mpirun.{mpi}";

    /// <summary>One rank's command.</summary>
    /// <param name="Fault">What SAFELLAMA_FAULT says to it.</param>
    internal sealed record Rank(string[] Arguments, string? Fault = null)
    {
        /// <summary>Other variables, each <c>NAME=value</c>.</summary>
        public IReadOnlyList<string> Variables { get; init; } = [];

        /// <summary>Sleeps first, or for ever.</summary>
        public int Delay { get; init; }

        /// <summary>A folder that relative paths start from.</summary>
        public string? Folder { get; init; }

        public IEnumerable<string> Command =>
        [
            "env", .. Variables, .. Fault is null ? Array.Empty<string>() : [$"SAFELLAMA_FAULT={Fault}"],
            "sh", "-c", $"sleep {Delay}; cd '{Folder ?? "."}'; exec \"$@\"", "rank",
            "dotnet", Path.Combine(AppContext.BaseDirectory, "safellama.dll"), .. Arguments,
        ];
    }
}
