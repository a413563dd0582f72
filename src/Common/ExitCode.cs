namespace SafeLlama.Common;

/// <summary>The exit codes of the program.</summary>
public enum ExitCode
{
    Success = 0,

    /// <summary>Something outside the program failed: a full disk, a lost device.</summary>
    Failure = 1,

    /// <summary>An option, a recipe or a path given by the user does not make sense.</summary>
    Usage = 2,

    /// <summary>A data file, a checkpoint, an adapter or a tokenizer is not what it claims to be.</summary>
    InvalidData = 3,

    /// <summary>The work does not fit into memory or onto the disk.</summary>
    DoesNotFit = 4,

    /// <summary>Training produced a loss or a gradient that is not finite.</summary>
    NonFinite = 5,

    /// <summary>A gate set by the user (<c>--fail-if</c>) was missed.</summary>
    GateMissed = 6,

    /// <summary>The user pressed Ctrl-C; finished work was written first.</summary>
    Interrupted = 130,
}
