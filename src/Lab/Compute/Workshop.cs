using SafeLlama.Common;
using SafeLlama.Serving;
using SafeLlama.Study;

namespace SafeLlama.Lab;

/// <summary>Everything that the rooms compute with, once.</summary>
internal sealed class Workshop : IAsyncDisposable
{
    private readonly LabSettings _settings;

    /// <exception cref="SafeLlamaException">A model or an adapter does not open.</exception>
    public Workshop(LabSettings settings)
    {
        _settings = settings;
        World = new WorldSource(new StudyData { World = new() });
        Talking = Open(settings.Model, settings.Adapter);
        Endpoints = [new TalkEndpoints(this)];
    }

    public LabSettings Settings => _settings;

    public ComputeGate Gate { get; } = new();

    /// <summary>The miniature's world: rows, prompts, grader.</summary>
    public WorldSource World { get; }

    /// <summary>The model of the room Talk; used and replaced inside the gate alone.</summary>
    public LabModel Talking { get; private set; }

    /// <summary>What each room answers.</summary>
    public IReadOnlyList<IRoomEndpoints> Endpoints { get; }

    /// <summary>Opens another model to talk to, and closes the one before; on a fault that one stays.</summary>
    /// <param name="folder">Null for the miniature.</param>
    /// <param name="adapters">As <c>NAME=DIR</c> or <c>DIR</c>.</param>
    public LabModel Replace(string? folder, IReadOnlyList<string> adapters)
    {
        var opened = Open(folder, adapters);
        Talking.Dispose();
        return Talking = opened;
    }

    public async ValueTask DisposeAsync()
    {
        await Gate.DisposeAsync();
        foreach (var room in Endpoints.OfType<IDisposable>())
        {
            room.Dispose();
        }

        Talking.Dispose();
    }

    private LabModel Open(string? folder, IReadOnlyList<string> adapters) => LabModel.Open(
        folder ?? MiniatureModel.FolderOf(StudyRecipe.Miniature),
        folder is null && adapters.Count == 0
            ? [.. MiniatureModel.ShippedAdapters.Select(arm => (arm, MiniatureModel.AdapterFolder(arm)))]
            : [.. adapters.Select(ServedModel.ParseAdapter)],
        _settings.Template, _settings.Threads);
}
