using SafeLlama.Common;

namespace SafeLlama.Study;

/// <summary>Finds base models: the one shipped with the program, or a folder.</summary>
public static class MiniatureModel
{
    /// <summary>The base models that come with the program: of the first world, and of the wider one.</summary>
    public static IReadOnlyList<string> Shipped { get; } = [StudyRecipe.Miniature, StudyRecipe.MiniatureWide];

    /// <summary>Arms of the default study whose adapters come with the program, "before" first.</summary>
    public static IReadOnlyList<string> ShippedAdapters { get; } = ["dose-0", "dose-90"];

    /// <summary>The folder of a shipped adapter.</summary>
    /// <exception cref="SafeLlamaException">It is missing.</exception>
    public static string AdapterFolder(string arm)
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "assets", "adapters", arm);
        return Directory.Exists(folder) ? folder : throw SafeLlamaException.Usage(
            $"{folder}: the adapter that comes with the program is missing; `safellama study` makes it anew.");
    }

    /// <summary>The folder of a model as recipes name it.</summary>
    /// <exception cref="SafeLlamaException">There is none.</exception>
    public static string FolderOf(string model)
    {
        var isShipped = Shipped.Contains(model);
        var folder = isShipped ? Path.Combine(AppContext.BaseDirectory, "assets", model) : model;
        if (File.Exists(Path.Combine(folder, "config.json")))
        {
            return folder;
        }

        throw SafeLlamaException.Usage(isShipped
            ? $"{folder}: the base model that comes with the program is missing; recipes/{model}-base.yaml says how "
                + "it is made."
            : $"model {model}: is no model folder (it holds no config.json); make a base of the world there with "
                + "study base, put a checkpoint there, or change \"models\".");
    }
}
