using System.Globalization;
using SafeLlama.Common;

namespace SafeLlama.Cli;

/// <summary>
/// Fault injection for tests of the whole program: kills the process, or simulates a full disk, at a chosen place.
/// </summary>
/// <remarks>
/// <c>SAFELLAMA_FAULT=site:n</c> kills the process, as <c>kill -9</c> would, when <see cref="OutputFile.FaultSite"/> is
/// at <c>write</c>, <c>flush</c>, <c>rename</c>, <c>append</c> or <c>step</c> for the n-th time; <c>site:n:full</c>
/// fails there instead as a full disk does, and <c>site:n:stop</c> stops there, as a process does whose machine hangs.
/// Without the variable nothing happens.
/// </remarks>
internal static class FaultInjection
{
    private const string Variable = "SAFELLAMA_FAULT";

    public static void Arm()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { Length: > 0 } text)
        {
            return;
        }

        var parts = text.Split(':');
        if (parts.Length is not (2 or 3) || !int.TryParse(parts[1], CultureInfo.InvariantCulture, out var left)
            || left < 1)
        {
            throw SafeLlamaException.Usage($"{Variable}={text}: expected site:n, site:n:full or site:n:stop.");
        }

        OutputFile.FaultSite = (site, path) =>
        {
            if (site != parts[0] || --left > 0)
            {
                return;
            }

            if (parts is [_, _, "stop"])
            {
                System.Diagnostics.Process.Start("kill", ["-STOP", $"{Environment.ProcessId}"]).WaitForExit();
                return;
            }

            if (parts.Length == 3)
            {
                throw new IOException($"No space left on device (injected at {site}).");
            }

            Console.Error.WriteLine($"killed at {site} of {Path.GetFileName(path)}");
            System.Diagnostics.Process.GetCurrentProcess().Kill();
            Thread.Sleep(Timeout.Infinite);
        };
    }
}
