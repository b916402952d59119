"""Files as other programs write them."""

# As Canvas exports it, with the rows before the students, calculated columns and the test student.
CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,Pendulum (9),"Quiz 1, part B (2nd try) (11)",Lab (2) (12),\
Final Project (13),Homework Current Score,Homework Unposted Current Score,Homework Final Score,\
Homework Unposted Final Score,Current Score,Unposted Current Score,Final Score,Unposted Final Score,Current Grade,\
Unposted Current Grade,Final Grade,Unposted Final Grade
,,,,,,Manual Posting,,,,,,,,,,,,,,
    Points Possible,,,,,10.00,8.00,20.00,100.00,(read only),(read only),(read only),(read only),(read only),\
(read only),(read only),(read only),(read only),(read only),(read only),(read only)
"Lovelace, Ada",31,0031,ada,A and B,9.50,EX,,0.00,95.0,95.0,9.5,9.5,95.0,95.0,9.5,9.5,A,A,F,F
"Núñez, José",33,0033,jose,A,N/A,7,12.5,88,,,,,,,,,,,,
"Student, Test",99,,test-student-1,A,10,8,20,100,,,,,,,,,,,,
"""
TITLES = ("Pendulum", "Quiz 1, part B (2nd try)", "Lab (2)", "Final Project")
