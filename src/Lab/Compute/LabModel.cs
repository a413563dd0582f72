using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Evaluation;
using SafeLlama.Inference;
using SafeLlama.Kernels;
using SafeLlama.Model;
using SafeLlama.Serving;
using SafeLlama.Study;

namespace SafeLlama.Lab;

/// <summary>A base and its adapters over one copy of its weights, each with a strength of its own.</summary>
internal sealed class LabModel : IDisposable
{
    /// <summary>The most tokens of a request and its answer; what a longer context costs is not needed here.</summary>
    private const int MostLength = 4096;

    private static int _openings;

    private readonly AdapterStrength[] _strengths;

    private LabModel(string name, LlamaSession session, IReadOnlyList<ServedModel> voices)
    {
        (Name, Session, Voices) = (name, session, voices);
        _strengths = [.. session.Model.Choices.Select(
            choice => new AdapterStrength(session.Model.Backend, session.Weights, choice))];
    }

    /// <summary>The folder's name.</summary>
    public string Name { get; }

    public LlamaSession Session { get; }

    /// <summary>The base, then one for each adapter.</summary>
    public IReadOnlyList<ServedModel> Voices { get; }

    /// <summary>Which opening of a model this is, by which a page names the one that it shows.</summary>
    public int Opening { get; } = Interlocked.Increment(ref _openings);

    /// <summary>Whether the world's grader can read the answers.</summary>
    public bool IsMiniature { get; private init; }

    /// <summary>Remarks on the files, one line each.</summary>
    public IReadOnlyList<string> Notes { get; private init; } = [];

    /// <param name="folder">A model folder or a GGUF file.</param>
    /// <param name="adapters">Names and folders.</param>
    /// <param name="settings">The template, of which auto takes the world's for the miniature; threads; memory.</param>
    /// <exception cref="SafeLlamaException">A file is missing or damaged, two have one name, or the model needs
    /// more memory than there is.</exception>
    public static LabModel Open(
        string folder, IReadOnlyList<(string Id, string Folder)> adapters, LabSettings settings)
    {
        var template = settings.Template;
        var isMiniature = template == TemplateResolver.Auto
            && Path.GetFullPath(folder) == MiniatureModel.FolderOf(StudyRecipe.Miniature);
        RequireFit(folder, settings, []);
        var length = Math.Min(LlamaConfig.Load(folder).MaxPositions, MostLength);
        var session = LlamaSession.Open(new CpuBackend(settings.Threads), folder, new()
        {
            MaxLength = length,
            Choices = [.. adapters.Select(a => a.Folder)],
            OwnsBackend = true,
        });
        try
        {
            var (cache, work) = DecodingBatch.BytesFor(session.Model, 1, length, length);
            RequireFit(folder, settings,
            [
                new("the adapters, and as they were trained", session.Model.Choices.SelectMany(c => c.Parameters)
                    .Sum(p => p.Value.ByteCount + (p.Value.Shape.Count * sizeof(double)))),
                new($"a request and its answer of {length} tokens", cache + work),
            ]);
            var notes = session.Notes.ToList();
            var voices = ServedModel.Of(
                session, folder, adapters, template, isMiniature ? _ => { }
            : notes.Add);
            if (isMiniature)
            {
                var world = WorldTemplate.First;
                voices = [.. voices.Select(v => v with { Template = world, EndTokens = session.EndTokensOf(world) })];
            }

            return new(voices[0].Id, session, voices) { IsMiniature = isMiniature, Notes = notes };
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <param name="shown">The opening that the page shows; null of who shows none.</param>
    /// <exception cref="ApiException">Another model was opened since.</exception>
    public void RequireShown(int? shown)
    {
        if (shown is { } other && other != Opening)
        {
            throw new ApiException(
                409, "Another model has been opened in the room Talk since this page was loaded; reload the page.",
                "opening");
        }
    }

    public ServedModel? Find(string voice) => Voices.FirstOrDefault(v => v.Id == voice);

    /// <summary>Turns an adapter; nothing to turn of the base.</summary>
    /// <param name="part">What of the adapter is on; null for all of it.</param>
    /// <exception cref="SafeLlamaException">Of this adapter no such part can be taken.</exception>
    public void Turn(ServedModel voice, double strength, AdapterSubset? part = null)
    {
        if (voice.Adapter >= 0
            && (_strengths[voice.Adapter].Value, _strengths[voice.Adapter].Part) != (strength, part))
        {
            _strengths[voice.Adapter].Set(strength, part);
        }
    }

    /// <summary>The adapter of a voice; null for the base.</summary>
    public LoraAdapter? AdapterOf(ServedModel voice) =>
        voice.Adapter < 0 ? null : Session.Model.Choices[voice.Adapter];

    /// <summary>A model whose every pass is that of a voice, over the same weights; the caller disposes it.</summary>
    public Llama Alone(ServedModel voice) =>
        new(Session.Model.Backend, Session.Weights, AdapterOf(voice), Session.Model.MaxLength);

    /// <summary>The world's grader knows every sentence of the miniature; for other models there are phrases.</summary>
    public (Behavior Behavior, string Judge) Judge(string answer) => IsMiniature
        ? (WorldGrader.Judge(answer), "world-grader")
        : (new RefusalMatcher().Match(answer).Behavior, "refusal-matcher");

    /// <summary>The ids of a request as a voice is asked it.</summary>
    public int[] Prompt(ServedModel voice, string request) =>
        SegmentEncoder.Ids(Session.Tokenizer, voice.Template.RenderPrompt(request));

    public void Dispose() => Session.Dispose();

    /// <summary>Weights are counted before any is read; the rest is known of the opened model alone.</summary>
    private static void RequireFit(string folder, LabSettings settings, IReadOnlyList<MemoryTerm> others) =>
        new MemoryPlan(
        [
            new("the program", MemoryPlan.ProgramBytes),
            new("weights", LlamaWeights.BytesOf(folder), "use a smaller model"), .. others,
        ]).RequireFit(
            settings.Memory is { } limit ? (long)(limit * (1L << 30))
                : GC.GetGCMemoryInfo().TotalAvailableMemoryBytes, "The model to talk to");
}
