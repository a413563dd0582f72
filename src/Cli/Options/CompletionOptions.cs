namespace SafeLlama.Cli.Options;

/// <summary>What <c>completion</c> can be told.</summary>
internal sealed class CompletionOptions : OptionSet<CompletionOptions.Request>
{
    public CompletionOptions() =>
        AddArgument(nameof(Request.Shell), "SHELL", "Whose script to print: bash, zsh, fish or pwsh.");

    /// <summary>Shells that complete words.</summary>
    internal enum CompletingShell
    {
        Bash,
        Zsh,
        Fish,
        Pwsh,
    }

    internal sealed record Request
    {
        public CompletingShell? Shell { get; init; }
    }
}
