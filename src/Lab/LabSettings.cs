using SafeLlama.Common;
using SafeLlama.Data;

namespace SafeLlama.Lab;

/// <summary>What the lab shows, and where it listens.</summary>
public sealed record LabSettings
{
    /// <summary>The port on 127.0.0.1; 0 takes a free one.</summary>
    public int Port { get; init; }

    /// <summary>A model folder to talk to; null for the miniature.</summary>
    public string? Model { get; init; }

    /// <summary>Adapters beside it, as <c>NAME=DIR</c> or <c>DIR</c>.</summary>
    public IReadOnlyList<string> Adapter { get; init; } = [];

    /// <summary>How a request is put to the model: a template's name or file.</summary>
    public string Template { get; init; } = TemplateResolver.Auto;

    /// <summary>Threads that compute.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>Memory that a model to talk to may use, in GiB; null for what the machine has.</summary>
    public double? Memory { get; init; }

    /// <summary>Exercises show timings and answers.</summary>
    public bool Teacher { get; init; }

    /// <exception cref="SafeLlamaException">A setting is out of range.</exception>
    public void Validate()
    {
        if (Port is < 0 or > 65_535)
        {
            throw SafeLlamaException.Usage($"`{nameof(Port)}` {Port}: expected 0 (a free one) to 65535.");
        }

        if (Memory is { } memory && !(memory > 0 && double.IsFinite(memory)))
        {
            throw SafeLlamaException.Usage($"`{nameof(Memory)}` {memory}: expected more than 0 GiB.");
        }

        if (Threads is < 1 or > 1024)
        {
            throw SafeLlamaException.Usage($"`{nameof(Threads)}` {Threads}: expected 1 to 1024.");
        }
    }
}
