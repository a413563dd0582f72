using System.ComponentModel;
using System.Diagnostics;
using SafeLlama.Common;

namespace SafeLlama.Cli.Endings;

/// <summary>Opens a page of this machine in the user's browser.</summary>
internal sealed class Browser
{
    private readonly string _program;

    private Browser(string program) => _program = program;

    /// <summary>The browser that there is; asked before the work, so that no work is done in vain.</summary>
    /// <param name="variable">Reads a variable of the environment.</param>
    /// <exception cref="SafeLlamaException">There is none.</exception>
    public static Browser Find(Func<string, string?> variable)
    {
        if (variable("BROWSER") is { Length: > 0 } named)
        {
            return new(OnPath(named, variable) ?? throw SafeLlamaException.Usage(
                $"--open: BROWSER names {named}, which is no program; correct it, or leave --open out."));
        }

        if (OperatingSystem.IsWindows())
        {
            return new("explorer.exe");
        }

        if (OperatingSystem.IsMacOS())
        {
            return new("/usr/bin/open");
        }

        var screen = new[] { "DISPLAY", "WAYLAND_DISPLAY" }.Any(name => !string.IsNullOrEmpty(variable(name)));
        return screen && OnPath("xdg-open", variable) is { } opener
            ? new(opener)
            : throw SafeLlamaException.Usage("--open: this machine has no "
                + (screen ? "xdg-open" : "screen (DISPLAY and WAYLAND_DISPLAY are not set)")
                + " to open a browser with; leave --open out, or set BROWSER to a program.");
    }

    /// <exception cref="SafeLlamaException">There is no such file, or the browser does not start.</exception>
    public void Open(string page)
    {
        var full = Path.GetFullPath(page);
        if (!File.Exists(full))
        {
            throw SafeLlamaException.Usage($"--open: {page}: there is no report.");
        }

        Start(full);
    }

    /// <exception cref="SafeLlamaException">The browser does not start.</exception>
    public void Open(Uri address) => Start(address.AbsoluteUri);

    private void Start(string page)
    {
        try
        {
            using var started = Process.Start(new ProcessStartInfo(_program, [page])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            });
        }
        catch (Exception e) when (e is Win32Exception or InvalidOperationException)
        {
            throw SafeLlamaException.Usage($"--open: {_program} does not start: {e.Message}");
        }
    }

    private static string? OnPath(string program, Func<string, string?> variable) =>
        program.Contains(Path.DirectorySeparatorChar)
            ? File.Exists(program) ? program : null
            : (variable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
                .Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);
}
