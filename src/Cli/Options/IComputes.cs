namespace SafeLlama.Cli.Options;

/// <summary>A record that says where a verb computes.</summary>
internal interface IComputes
{
    /// <summary>See <see cref="Devices"/>.</summary>
    string Device { get; }

    /// <summary>Threads of the cpu.</summary>
    int Threads { get; }
}
