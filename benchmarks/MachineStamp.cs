using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace SafeLlama.Benchmarks;

/// <summary>Where and when something was measured. A number without it cannot be compared with another.</summary>
/// <param name="Processor">As the system names it.</param>
/// <param name="Cores">Logical ones that this process may use.</param>
/// <param name="Vectors">The widest vector instructions that .NET uses here.</param>
/// <param name="Runtime">Version of .NET.</param>
/// <param name="Commit">Of the program; "unknown" where it was built outside a repository.</param>
/// <param name="Date">UTC, to the minute.</param>
internal sealed record MachineStamp(
    string Processor, int Cores, string Vectors, string Runtime, string Commit, string Date)
{
    private const string CpuInfo = "/proc/cpuinfo";

    public static MachineStamp Now { get; } = new(
        NameOfProcessor(),
        Environment.ProcessorCount,
        NameOfVectors(),
        RuntimeInformation.FrameworkDescription,
        CommitOf(typeof(MachineStamp).Assembly),
        DateTime.UtcNow.ToString("yyyy-MM-dd HH:mm'Z'", CultureInfo.InvariantCulture));

    public override string ToString() =>
        $"{Processor}, {Cores} {(Cores == 1 ? "core" : "cores")}, {Vectors}; {Runtime}; commit {Commit}; {Date}";

    /// <summary>The commit that the build wrote behind the version, as <c>0.1.0+commit</c>.</summary>
    private static string CommitOf(Assembly assembly)
    {
        var version = assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";
        var plus = version.IndexOf('+', StringComparison.Ordinal);
        return plus < 0 ? "unknown" : version[(plus + 1)..Math.Min(version.Length, plus + 13)];
    }

    private static string NameOfProcessor()
    {
        var line = File.Exists(CpuInfo)
            ? File.ReadLines(CpuInfo).FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))
            : null;
        return line?[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim()
            ?? Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER")
            ?? RuntimeInformation.ProcessArchitecture.ToString();
    }

    private static string NameOfVectors() =>
        Avx512F.IsSupported ? "AVX-512"
        : Avx2.IsSupported ? "AVX2" : $"128-bit {RuntimeInformation.ProcessArchitecture}";
}
