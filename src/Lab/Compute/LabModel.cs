using SafeLlama.Data;
using SafeLlama.Inference;
using SafeLlama.Kernels;
using SafeLlama.Model;
using SafeLlama.Serving;
using SafeLlama.Study;

namespace SafeLlama.Lab;

/// <summary>A base and its adapters over one copy of its weights, each with a strength of its own.</summary>
internal sealed class LabModel : IDisposable
{
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

    /// <summary>Whether the world's grader can read the answers.</summary>
    public bool IsMiniature { get; private init; }

    /// <summary>Remarks on the files, one line each.</summary>
    public IReadOnlyList<string> Notes { get; private init; } = [];

    /// <param name="folder">A model folder or a GGUF file.</param>
    /// <param name="adapters">Names and folders.</param>
    /// <param name="template">A template's name or file; auto takes the world's for the miniature.</param>
    /// <exception cref="Common.SafeLlamaException">A file is missing or damaged, or two have one name.</exception>
    public static LabModel Open(
        string folder, IReadOnlyList<(string Id, string Folder)> adapters, string template, int threads)
    {
        var isMiniature = template == TemplateResolver.Auto
            && Path.GetFullPath(folder) == MiniatureModel.FolderOf(StudyRecipe.Miniature);
        var session = LlamaSession.Open(new CpuBackend(threads), folder, new()
        {
            Choices = [.. adapters.Select(a => a.Folder)],
            OwnsBackend = true,
        });
        try
        {
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

    public ServedModel? Find(string voice) => Voices.FirstOrDefault(v => v.Id == voice);

    /// <summary>Turns an adapter; nothing to turn of the base.</summary>
    public void Turn(ServedModel voice, double strength)
    {
        if (voice.Adapter >= 0 && _strengths[voice.Adapter].Value != strength)
        {
            _strengths[voice.Adapter].Set(strength);
        }
    }

    /// <summary>The ids of a request as a voice is asked it.</summary>
    public int[] Prompt(ServedModel voice, string request) =>
        SegmentEncoder.Ids(Session.Tokenizer, voice.Template.RenderPrompt(request));

    public void Dispose() => Session.Dispose();
}
