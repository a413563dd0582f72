namespace SafeLlama.Lab;

/// <summary>A room: a page and its script.</summary>
/// <param name="Path">The address below the token, and the script's name.</param>
/// <param name="Title">Its name in the navigation.</param>
/// <param name="Page">The component that is its body.</param>
internal sealed record LabRoom(string Path, string Title, Type Page);

/// <summary>The rooms, in the order of a lesson.</summary>
internal static class LabRooms
{
    public static IReadOnlyList<LabRoom> All { get; } =
    [
        new("talk", "Talk", typeof(TalkPage)),
        new("data", "Data", typeof(DataPage)),
        new("train", "Train", typeof(TrainPage)),
        new("measure", "Measure", typeof(MeasurePage)),
        new("annotate", "Annotate", typeof(AnnotatePage)),
        new("class", "Class", typeof(ClassPage)),
        new("exercises", "Exercises", typeof(ExercisesPage)),
    ];
}
