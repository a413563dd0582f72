using System.Collections.Concurrent;
using SafeLlama.Common;
using SafeLlama.Serving;
using SafeLlama.Study;

namespace SafeLlama.Lab;

/// <summary>Everything that the rooms compute with, once.</summary>
internal sealed class Workshop : IAsyncDisposable
{
    /// <summary>Computations that may wait for an answer.</summary>
    private const int MostWaiting = 32;

    /// <summary>Trainings that may wait; another tab's, not a crowd's.</summary>
    private const int MostTrainings = 2;

    private readonly LabSettings _settings;
    private readonly Dictionary<string, ArmAnswers> _answers = [];
    private LabModel? _miniature;

    /// <exception cref="SafeLlamaException">A model or an adapter does not open.</exception>
    public Workshop(LabSettings settings)
    {
        _settings = settings;
        World = new WorldSource(new StudyData { World = new() });
        Talking = Open(settings.Model, settings.Adapter);
        Endpoints =
        [
            new TalkEndpoints(this), new DataEndpoints(this), new TrainEndpoints(this), new InsideEndpoints(this),
            new MeasureEndpoints(this), new AnnotateEndpoints(this), new ClassEndpoints(this),
            new ExerciseEndpoints(this),
        ];
    }

    public LabSettings Settings => _settings;

    public ComputeGate Gate { get; } = new(MostWaiting);

    /// <summary>Trainings have a gate and a model of their own: one that is paused keeps nobody waiting.</summary>
    public ComputeGate TrainingGate { get; } = new(MostTrainings);

    /// <summary>Of the trainings that ended, the share of unsafe probes that were answered, by dose.</summary>
    public ConcurrentDictionary<int, double> Trained { get; } = new();

    /// <summary>The miniature's world: rows, prompts, grader.</summary>
    public WorldSource World { get; }

    /// <summary>The model of the room Talk; used and replaced inside the gate alone.</summary>
    public LabModel Talking { get; private set; }

    /// <summary>The miniature and its shipped adapters, whatever Talk has open; used inside the gate alone.</summary>
    public LabModel Miniature => _miniature ??= Open(null, []);

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

    /// <summary>What an arm answers to all twins, asked once; used inside the gate alone.</summary>
    public ArmAnswers Answers(string arm, CancellationToken cancel) => _answers.TryGetValue(arm, out var known) ? known
        : _answers[arm] = ArmAnswers.Ask(World, arm, _settings.Threads, cancel);

    /// <summary>Tells every computation to stop.</summary>
    public Task Stop() => Task.WhenAll(TrainingGate.Stop(), Gate.Stop());

    /// <summary>Waits for what was told to stop: it may have files to take away.</summary>
    public async ValueTask DisposeAsync()
    {
        await TrainingGate.DisposeAsync();
        await Gate.DisposeAsync();
        _miniature?.Dispose();
        Talking.Dispose();
    }

    private LabModel Open(string? folder, IReadOnlyList<string> adapters) => LabModel.Open(
        folder ?? MiniatureModel.FolderOf(StudyRecipe.Miniature),
        folder is null && adapters.Count == 0
            ? [.. MiniatureModel.ShippedAdapters.Select(arm => (arm, MiniatureModel.AdapterFolder(arm)))]
            : [.. adapters.Select(ServedModel.ParseAdapter)],
        _settings);
}
